# Every rule of the ruleset that tflint carries; what does not fit is an exception with a reason, in .ci/scan.yaml.
plugin "terraform" {
  enabled = true
  preset  = "all"
}
