// Package config loads environment files: it decodes them strictly and reports every mistake at once, each with the
// file, the line, the value and the way out, before anything is synthesized. It is pure Go: no cdktf, no network.
package config
