package cost

import (
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
)

// Print writes the estimate for a person.
func (e Estimate) Print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	p := printer{w: w}
	p.line("%s: USD a month of %s hours, list prices of %s as published in %s, before tax and free tier",
		e.Environment, usd(e.Hours), e.Region, e.Published)
	for _, warning := range e.Warnings {
		p.line("warning: %s", warning)
	}
	p.line("")
	p.line("RESOURCE\tWHAT\tQUANTITY\tUNIT PRICE\tA MONTH")
	for _, l := range e.Lines {
		p.line("%s/%s\t%s\t%s\t%s / %s\t%.2f", l.Stack, l.Address, l.What, usd(l.Quantity), usd(l.UnitUSD), l.Unit, l.USD)
	}
	p.line("total, used or not\t\t\t\t%.2f", e.TotalUSD)
	p.flush()
	if len(e.Usage) > 0 {
		p.line("")
		p.line("AND BY USE\tUNIT PRICE")
		for _, price := range e.Usage {
			p.line("%s\t%s / %s", price.What, usd(price.USD), price.Unit)
		}
		p.flush()
	}
	p.line("")
	p.line("AVOIDABLE, OF THE TOTAL\tA MONTH\tHOW")
	for _, a := range e.Avoidable {
		p.line("%s\t%.2f\t%s", a.What, a.USD, a.How)
	}
	p.flush()
	if p.err != nil {
		return fmt.Errorf("printing the estimate: %w", p.err)
	}
	return nil
}

// printer keeps the first error.
type printer struct {
	w   *tabwriter.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if _, err := fmt.Fprintf(p.w, format+"\n", args...); p.err == nil {
		p.err = err
	}
}

// flush ends a table: what follows has columns of its own.
func (p *printer) flush() {
	if err := p.w.Flush(); p.err == nil {
		p.err = err
	}
}

// usd is a number without zeros that say nothing.
func usd(amount float64) string { return strconv.FormatFloat(amount, 'f', -1, 64) }
