// Package bootstrap renders the user-data by which a machine gets the API: a cloud-config with the settings, the
// systemd unit, an install script, for the source delivery the source itself and, on request, what ships the journal.
// It proves that the result fits.
package bootstrap
