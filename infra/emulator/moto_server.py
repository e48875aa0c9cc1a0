"""moto_server, without the gaps that the AWS provider for Terraform falls into.

Each function closes one; without it, a plan right after an apply would not be empty, a call would fail that AWS
answers, one would be answered that AWS refuses, or the disk would be full. Where another version of moto differs, a gap is left open and said
so: the rest still works.
"""

import io
import json
import sys
import threading
import urllib.parse


def launch_template_versions():
    # moto adds the template's own tags to what its version says about tagging instances, and takes the user-data of
    # every version but the first for plain text, which its Auto Scaling groups refuse.
    from moto.core.types import Base64EncodedString
    from moto.ec2.models.launch_templates import LaunchTemplateVersion

    original = LaunchTemplateVersion.__init__

    def init(self, template, number, data, description):
        if isinstance(data.get("UserData"), str):
            data["UserData"] = Base64EncodedString(data["UserData"])
        original(self, template, number, data, description)
        if "TagSpecifications" in data:
            data["TagSpecifications"] = [
                s for s in data["TagSpecifications"] if s.get("ResourceType") != "launch-template"
            ]

    LaunchTemplateVersion.__init__ = init


def security_group_rule_description():
    # moto forgets the description of a rule whose source is a security group, or whose destination is a prefix list.
    from moto.ec2.models.security_groups import SecurityGroupRule

    original = SecurityGroupRule.__init__

    def init(self, *args, **kwargs):
        original(self, *args, **kwargs)
        lists = [each for each in (*args, *kwargs.values()) if isinstance(each, dict) and "PrefixListId" in each]
        self.prefix_list = lists[0] if lists else {}

    def description(self):
        for of in (self.ip_range, self.source_group or {}, self.prefix_list):
            if of.get("Description"):
                return of["Description"]
        return None

    SecurityGroupRule.__init__ = init
    SecurityGroupRule.description = property(description)


def budget_tags():
    # moto's budgets have no tags, and the provider reads tags of everything.
    from moto.budgets.responses import BudgetsResponse

    if hasattr(BudgetsResponse, "list_tags_for_resource"):
        return
    tags = {}
    create = BudgetsResponse.create_budget

    def put(arn, pairs):
        tags.setdefault(arn, {}).update({pair["Key"]: pair["Value"] for pair in pairs or []})

    def create_budget(self):
        answer = create(self)
        account, budget = self._get_param("AccountId"), self._get_param("Budget")
        put(f"arn:aws:budgets::{account}:budget/{budget['BudgetName']}", self._get_param("ResourceTags"))
        return answer

    def list_tags_for_resource(self):
        pairs = tags.get(self._get_param("ResourceARN"), {}).items()
        return json.dumps({"ResourceTags": [{"Key": key, "Value": value} for key, value in pairs]})

    def tag_resource(self):
        put(self._get_param("ResourceARN"), self._get_param("ResourceTags"))
        return "{}"

    def untag_resource(self):
        for key in self._get_param("ResourceTagKeys", []):
            tags.get(self._get_param("ResourceARN"), {}).pop(key, None)
        return "{}"

    for method in (create_budget, list_tags_for_resource, tag_resource, untag_resource):
        setattr(BudgetsResponse, method.__name__, method)


def delete_markers():
    # Emptying a versioned bucket fails on its delete markers.
    from moto.s3.models import FakeDeleteMarker

    if not hasattr(FakeDeleteMarker, "dispose"):
        FakeDeleteMarker.dispose = lambda self, garbage=False: None


def deletion_protection():
    # moto deletes load balancers that are protected from it.
    from moto.elbv2.exceptions import ELBClientError
    from moto.elbv2.models import ELBv2Backend

    original = ELBv2Backend.delete_load_balancer

    def delete_load_balancer(self, arn):
        balancer = self.load_balancers.get(arn)
        if balancer and balancer.attrs.get("deletion_protection.enabled") == "true":
            raise ELBClientError(
                "OperationNotPermitted",
                f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled",
            )
        original(self, arn)

    ELBv2Backend.delete_load_balancer = delete_load_balancer


def flow_log_prefix():
    # moto takes a prefix behind the bucket of a flow log for a part of the bucket's name.
    from moto.ec2.models import EC2Backend

    create = EC2Backend.create_flow_logs

    def create_flow_logs(self, *args, **kwargs):
        destination = kwargs.get("log_destination") or ""
        if destination.startswith("arn:aws:s3:::"):
            kwargs["log_destination"] = destination.split("/", 1)[0]
        made, failed = create(self, *args, **kwargs)
        for flow_log in made:
            flow_log.log_destination = destination
        return made, failed

    EC2Backend.create_flow_logs = create_flow_logs


def scaling_policies():
    # moto says of every scaling policy that it is disabled, and that it predicts, with nothing to predict from.
    from moto.autoscaling.models import FakeScalingPolicy

    original = FakeScalingPolicy.__init__

    def init(self, *args, **kwargs):
        original(self, *args, **kwargs)
        self.predictive_scaling_configuration = self.predictive_scaling_configuration or None

    FakeScalingPolicy.__init__ = init
    FakeScalingPolicy.enabled = True


def client_tokens():
    # moto makes a second thing when a request comes again whose answer was lost, where EC2 knows it by its ClientToken
    # and gives the first answer. What was made twice is known to nobody, and its VPC can never be deleted.
    # Source: https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication

    original = DomainDispatcherApplication.__call__
    calls, guard = {}, threading.Lock()

    def call(self, environ, start_response):
        if environ.get("CONTENT_TYPE", "").split(";")[0] != "application/x-www-form-urlencoded":
            return original(self, environ, start_response)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        form = urllib.parse.parse_qs(body.decode())
        if "ClientToken" not in form:
            return original(self, environ, start_response)
        with guard:
            known = calls.setdefault((form.get("Action", [""])[0], form["ClientToken"][0]), {"turn": threading.Lock()})
        with known["turn"]:
            if not known.get("status", "").startswith("2"):  # what failed is tried again

                def started(status, headers, exc_info=None):
                    known.update(status=status, headers=headers)
                    return lambda _: None

                known["answer"] = list(original(self, environ, started))
            status, headers, answer = known["status"], known["headers"], known["answer"]
        start_response(status, headers)
        return answer

    DomainDispatcherApplication.__call__ = call


def version_listings():
    # moto lists versions from copies of all of them, content and all, and forgets no copy: as many listings of a large
    # file fill the disk.
    from moto.s3.models import FakeKey

    def described(self, memo):
        twin = object.__new__(FakeKey)
        etag = self.etag.strip('"')  # which is made from the content
        twin.__dict__.update(self.__dict__, _etag=etag, _value_buffer=io.BytesIO(), multipart=None)
        return twin

    FakeKey.__deepcopy__ = described


def main():
    for gap in (
        launch_template_versions,
        security_group_rule_description,
        budget_tags,
        delete_markers,
        deletion_protection,
        flow_log_prefix,
        scaling_policies,
        client_tokens,
        version_listings,
    ):
        try:
            gap()
        except (ImportError, AttributeError) as error:
            print(f"{gap.__name__}: left open, this moto differs: {error}", file=sys.stderr)
    from moto.server import main as serve

    serve(sys.argv[1:])


if __name__ == "__main__":
    main()
