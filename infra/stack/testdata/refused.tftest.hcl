
run "a_real_account_refuses_placeholders" {
  command = plan
  override_data {
    target = data.aws_caller_identity.account
    values = { account_id = "111122223333" }
  }
  expect_failures = [data.aws_caller_identity.account]
}
