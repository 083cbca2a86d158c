"""The world that starter-image learns from: product scenes drawn by rule, their captions, and the recipe."""
