"""The plan: jobs → items → shards, frozen before any work is paid for."""
