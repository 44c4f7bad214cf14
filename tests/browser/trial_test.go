package browser

import "testing"

// TestTrial has kept mail judged under a configuration that is pasted, finds the message that would have been
// delivered, and who asked for it, on a telephone.
func TestTrial(t *testing.T) {
	o := openOffice(t)
	o.mustSend(250, "billing@example.net", "bob@example.com", invoice(t, "Invoice 2026-117"))
	b := o.newcomer(t, chromium(t), "newcomer", narrow)
	b.open("/quarantine")
	b.await("Invoice 2026-117")
	b.open("/rules")
	b.click(link("Try a configuration"))
	here := func(*tab) {}
	b.look(view{"trial", here, false}, narrow)
	b.attempt("[[rule]]\nactoin = \"hold\"\n", "has mistakes")
	b.says("draft:2", "there is no such key; did you mean \"action\"?")
	b.look(view{"trial-wrong", here, false}, narrow)
	b.attempt(loose, "Mails compared")
	b.look(view{"trial-shown", here, false}, narrow)
	b.says("Would be delivered", "partners may send macros", "billing@example.net", "Your text has these sections otherwise", "log")
	b.click(`//section//ul//a[starts-with(@href, "/messages/")]`)
	b.says("Invoice 2026-117")
	b.open("/audit")
	b.says("tried a configuration")
	b.open("/quarantine")
	b.says("Invoice 2026-117") // which is kept as before
}
