# usage: image FOLDER
set -euo pipefail
mmdebstrap --quiet --mode=root --variant=minbase \
  --include=systemd,systemd-sysv,dbus,cloud-init,awscli,ca-certificates,curl,iproute2,netbase,procps \
  bookworm "$1"
chmod 755 "$1"
# The seed brings what EC2's own data source would; the network is the lab's.
printf 'datasource_list: [NoCloud]\nnetwork: {config: disabled}\nlocale: false\nssh_genkeytypes: []\n' >"$1/etc/cloud/cloud.cfg.d/99-lab.cfg"
rm -f "$1/etc/resolv.conf" "$1/etc/hostname"
# Nothing of Debian's own runs beside the API.
for unit in networking.service apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer fstrim.timer; do
  ln -sf /dev/null "$1/etc/systemd/system/$unit"
done
rm -rf "$1"/var/cache/apt/archives/*.deb "$1"/var/lib/apt/lists/*
