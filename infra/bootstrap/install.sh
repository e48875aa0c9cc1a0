. /etc/storaged/release.env
trap 'say "failed in line $LINENO; the API does not serve. See /var/log/cloud-init-output.log"' ERR

start() {
  install -m 0755 "$1" /usr/local/bin/storaged
  systemctl daemon-reload
  systemctl enable --now storaged.service
  say "started"
}
