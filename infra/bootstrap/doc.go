// Package bootstrap renders the user-data by which a machine gets the API: a cloud-config with the settings, the
// systemd unit, an install script and, for the source delivery, the source itself. It proves that the result fits.
package bootstrap
