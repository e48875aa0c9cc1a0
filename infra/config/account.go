package config

import "cloudstorage/infra/naming"

// AccountName is the name of the file that describes the account rather than an environment, and of its stack.
const AccountName = "account"

// Account is account.yaml: what an AWS account has once, whatever runs in it.
type Account struct {
	// ProjectName is the prefix of every name and the value of the Project_name tag. Required.
	ProjectName string `yaml:"project_name"`
	// Region is where the state bucket lives. Required.
	Region string `yaml:"region"`
	// AccountID, 12 digits, makes Terraform refuse every other account. Default: any account.
	AccountID string `yaml:"account_id"`
	// Budget is the monthly alert. Required.
	Budget Budget `yaml:"budget"`
	// State names the bucket for Terraform's remote state. Required.
	State State `yaml:"state"`

	project naming.Project
	doc     *document
}

// Budget sends an e-mail when the month's cost passes a limit, and when the forecast does.
type Budget struct {
	// LimitUSD in US dollars. Required.
	LimitUSD int `yaml:"limit_usd"`
	// Email receives the alerts. Required.
	Email string `yaml:"email"`
	// BillingAlarm adds a CloudWatch alarm on the estimated charges, which exist in us-east-1 only. Default false.
	BillingAlarm bool `yaml:"billing_alarm"`
}

// State names the bucket for Terraform's remote state.
type State struct {
	// Bucket is "<project_name>-…-<digits>". Required.
	Bucket string `yaml:"bucket"`
}

// Project is the validated project name.
func (a *Account) Project() naming.Project { return a.project }

// ParseAccount decodes and validates account.yaml's text; file is only for messages.
func ParseAccount(file string, source []byte) (*Account, error) {
	a := &Account{}
	a.doc = decode(file, source, a)
	a.project = a.doc.project(a.ProjectName)
	a.doc.region(a.Region)
	a.doc.accountID(a.AccountID)
	if a.Budget.LimitUSD < 1 {
		a.doc.at("budget.limit_usd", "%d is below 1: give the limit in whole US dollars", a.Budget.LimitUSD)
	}
	if !emailPattern.MatchString(a.Budget.Email) {
		a.doc.at("budget.email", "%q is not an e-mail address: a budget without a subscriber tells nobody", a.Budget.Email)
	}
	a.doc.bucket("state.bucket", a.project, a.State.Bucket)
	if err := a.doc.err(); err != nil {
		return nil, err
	}
	return a, nil
}

// Placeholders are the shipped values that are not yours yet.
func (a *Account) Placeholders() []Placeholder {
	var found []Placeholder
	if naming.PlaceholderBucket(a.State.Bucket) {
		found = append(found, Placeholder{"state.bucket", a.State.Bucket})
	}
	if a.Budget.Email == PlaceholderEmail {
		found = append(found, Placeholder{"budget.email", a.Budget.Email})
	}
	return found
}
