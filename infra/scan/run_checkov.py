"""checkov, with two gaps closed that would let it pass what it claims to check in Terraform's JSON.

policies: a policy is a string of JSON there, which its checks of what an IAM policy allows give up on, silently.
egress: a rule for all protocols names no ports, and a rule without ports is never looked at.
"""

import json
import sys

from checkov.main import Checkov
from checkov.terraform.checks.resource.aws.AbsSecurityGroupUnrestrictedEgress import AbsSecurityGroupUnrestrictedEgress
from checkov.terraform.checks.resource.base_cloudsplaining_resource_iam_check import (
    BaseTerraformCloudsplainingResourceIAMCheck,
)
from cloudsplaining.scan.policy_document import PolicyDocument


def read_policies():
    def convert_to_iam_policy(_self, conf):
        policy = conf["policy"][0]
        return PolicyDocument(json.loads(policy) if isinstance(policy, str) else policy)

    BaseTerraformCloudsplainingResourceIAMCheck.convert_to_iam_policy = convert_to_iam_policy


def see_egress_of_all_protocols():
    scan = AbsSecurityGroupUnrestrictedEgress.scan_resource_conf

    def scan_resource_conf(self, conf):
        if conf.get("ip_protocol") == ["-1"]:
            conf = {**conf, "from_port": [-1], "to_port": [-1]}
        return scan(self, conf)

    AbsSecurityGroupUnrestrictedEgress.scan_resource_conf = scan_resource_conf


read_policies()
see_egress_of_all_protocols()
sys.exit(Checkov().run())
