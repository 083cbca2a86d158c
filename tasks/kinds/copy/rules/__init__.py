"""The rules that judge marketing copy. The rules themselves are data: rules.yaml and units.yaml."""

from tasks.kinds.copy.rules.judge import JobRules, judge_alone, judge_among, rules_of
from tasks.kinds.copy.rules.schema import RULES_DIGEST, rule_table, rules_digest
from tasks.kinds.copy.rules.shape import sms_segments

__all__ = [
    "RULES_DIGEST", "JobRules", "judge_alone", "judge_among", "rule_table", "rules_digest", "rules_of", "sms_segments",
]  # fmt: skip
