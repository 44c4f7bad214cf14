package browser

import (
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/tests/sample"
)

// TestStranger has one who has never seen the console answer questions, and counts the
// clicks. Clicks into fields to type do not count, nor does logging in.
func TestStranger(t *testing.T) {
	o := openOffice(t)
	o.mustSend(550, "joe@example.net", "ann@example.com", sample.Attached("The setup you wanted", sample.Program("setup.exe")))
	for range 3 {
		o.mustSend(550, "eve@example.org", "carl@example.com", sample.Attached("Update", sample.Program("update.exe")))
	}
	o.mustSend(250, "joe@example.net", "ann@example.com", sample.Plain("Lunch", "at noon?"))
	o.mustSend(250, "billing@example.net", "bob@example.com", invoice(t, "Invoice 2026-117"))
	b := o.newcomer(t, chromium(t), "newcomer", wide)
	for _, task := range []struct {
		question string
		most     int // clicks
		do       func()
	}{
		{"Why was Ann's mail refused yesterday?", 3, func() {
			b.click(link("Messages"))
			b.fill("Recipient", "ann@")
			b.choose("Action", "reject")
			b.click(button("Search"))
			b.click(link("The setup you wanted"))
			b.says("no programs", "setup.exe", "attachment/", "What would have let it pass")
		}},
		{"Release the invoice for Bob without the macro", 4, func() {
			b.click(link("Quarantine"))
			b.click(link("Invoice 2026-117"))
			b.tap(`//summary[contains(., "Deliver without the bad part")]`)
			b.click(button("Deliver without the bad part"))
			b.says("The message was sent without the bad part.")
			d := o.arrived("Invoice 2026-117")
			if d.Recipient != "bob@example.com" || strings.Contains(string(d.Mail), "vbaProject") {
				t.Errorf("to %s: %.3000s", d.Recipient, d.Mail)
			}
		}},
		{"Which rule refuses most at example.com?", 3, func() {
			b.open("/")
			b.says("Rules, by recipients", "no programs")
			b.click(link("example.com"))
			b.click(link("Count by rule"))
			b.says("Messages that were found, by the rule that decided: 7.", "no programs\trejected\t4") // the release is one
		}},
		{"Is clamd up to date?", 1, func() {
			b.click(link("Overview"))
			b.await("clamd")
			b.says("ClamAV")
		}},
	} {
		b.counted()
		begun := time.Now()
		task.do()
		n := b.counted()
		t.Logf("%s %d clicks, %v", task.question, n, time.Since(begun).Round(time.Millisecond))
		if n > task.most {
			t.Errorf("%s takes %d clicks", task.question, n)
		}
	}
}
