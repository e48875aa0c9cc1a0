// Package composertest runs the services of the composer's compose file as
// processes of this machine and tries what each of them is for: `make
// composer-test` (docs/composer.md says what that proves).
package composertest
