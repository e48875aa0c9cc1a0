# The API has been started, or has failed to start and the journal says why. Nothing here can stop it from serving.
trap 'say "shipping failed in line $LINENO; the journal stays on this machine. The API is not concerned"' ERR

retry nice dnf -y -q install amazon-cloudwatch-agent
systemctl daemon-reload
systemctl enable --now storaged-journal.service
/opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl -a fetch-config -m ec2 -s -c file:/etc/storaged/agent.json
say "the journal is shipped"
