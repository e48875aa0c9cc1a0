// Package budget makes the alert on what the account costs.
package budget

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/budgetsbudget"

	"cloudstorage/infra/internal/alert"
	"cloudstorage/infra/internal/tf"
	"cloudstorage/infra/naming"
)

// Props are what a budget needs.
type Props struct {
	// Project names and tags the budget. Required.
	Project naming.Project
	// LimitUSD is the month's limit in US dollars. Required: 1 or more.
	LimitUSD int
	// Email is told when the month's cost passes the limit, and when the forecast does. Required.
	Email string
	// Silent leaves the notifications out. Only for an emulator that lacks them. Default false.
	Silent bool
}

// Validate reports what no useful budget could be made of. AWS itself accepts one that tells nobody.
func (p Props) Validate() error {
	return validate(p.LimitUSD, p.Email)
}

func validate(limitUSD int, email string) error {
	var errs []error
	if limitUSD < 1 {
		errs = append(errs, fmt.Errorf("budget: limit of %d USD is below 1", limitUSD))
	}
	if !alert.IsEmail(email) {
		errs = append(errs, fmt.Errorf("budget: %q is not an e-mail address: the alert needs a subscriber", email))
	}
	return errors.Join(errs...)
}

// Budget is a monthly cost budget.
type Budget struct{ budget budgetsbudget.BudgetsBudget }

// New makes the budget. It panics where Validate would have said why.
func New(scope constructs.Construct, id string, p Props) *Budget {
	if err := p.Validate(); err != nil {
		panic(err)
	}
	within := constructs.NewConstruct(scope, jsii.String(id))
	config := &budgetsbudget.BudgetsBudgetConfig{
		Name:        jsii.String(p.Project.Name("budget")),
		BudgetType:  jsii.String("COST"),
		TimeUnit:    jsii.String("MONTHLY"),
		LimitAmount: jsii.String(strconv.Itoa(p.LimitUSD)),
		LimitUnit:   jsii.String("USD"),
		Tags:        tf.Tags(p.Project.Tags("budget")),
	}
	if !p.Silent {
		config.Notification = &[]*budgetsbudget.BudgetsBudgetNotification{notify(p, "ACTUAL"), notify(p, "FORECASTED")}
	}
	return &Budget{budget: budgetsbudget.NewBudgetsBudget(within, jsii.String("budget"), config)}
}

func notify(p Props, kind string) *budgetsbudget.BudgetsBudgetNotification {
	return &budgetsbudget.BudgetsBudgetNotification{
		NotificationType:         jsii.String(kind),
		ComparisonOperator:       jsii.String("GREATER_THAN"),
		Threshold:                jsii.Number(p.LimitUSD),
		ThresholdType:            jsii.String("ABSOLUTE_VALUE"),
		SubscriberEmailAddresses: jsii.Strings(p.Email),
	}
}

// Name is a token for the budget's name.
func (b *Budget) Name() *string { return b.budget.Name() }
