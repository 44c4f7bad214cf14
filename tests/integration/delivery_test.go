package integration

import (
	"fmt"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/tests/integration/servers"
)

// Delivery is the MTA's: where its mail goes, milterscan has no part in. These
// houses have rules that change mail, and an MTA that delivers elsewhere.
const deliveryRules = `
[[rule]]
name = "note"
headers = { X-Seen = "yes" }
`

// elsewhere is the server that mail is delivered to.
func elsewhere(t *testing.T, mainCf ...string) *servers.Postfix {
	t.Helper()
	return servers.StartPlainPostfix(t, append(mainCf, "myhostname = mx.far.test")...)
}

// wantDeliveredTo checks that a mail arrives there with milterscan's field, and a
// virus does not.
func (h *house) wantDeliveredTo(t *testing.T, far *servers.Postfix) {
	t.Helper()
	m := clean("to far away")
	m.To = []string{"user@far.test"}
	wantReply(t, "clean mail", h.send(m), 250)
	virus := infected()
	virus.To = m.To
	wantReply(t, "a virus", h.send(virus), 550)
	h.mta.Settle(t)
	d := far.Inbox.One(t)
	if d.Recipient != "user@far.test" || d.Sender != m.From {
		t.Errorf("from %s to %s", d.Sender, d.Recipient)
	}
	if got := fields(t, d); len(got["X-Seen"]) != 1 || !strings.HasSuffix(string(d.Mail), asDelivered(m.Data)) {
		t.Errorf("arrived:\n%s", d.Mail)
	}
	if n := h.mta.Mailbox().Count(); n != 0 {
		t.Errorf("%d mails were delivered here", n)
	}
}

func TestDeliveryByRelayhost(t *testing.T) {
	needServers(t)
	t.Run("postfix", func(t *testing.T) {
		far := elsewhere(t)
		host, port, _ := strings.Cut(far.Addr, ":")
		h := newHouse(t, deliveryRules, "default_transport = smtp", fmt.Sprintf("relayhost = [%s]:%s", host, port))
		h.mta.(*servers.Postfix).Deliver(t, "")
		h.wantDeliveredTo(t, far)
	})
	t.Run("sendmail", func(t *testing.T) {
		far := elsewhere(t)
		host, port, _ := strings.Cut(far.Addr, ":")
		clamd := servers.StartClamd(t)
		h := &house{clamd: clamd, engine: "unix:" + clamd.Socket, mta: servers.StartSendmail(t,
			fmt.Sprintf("define(`SMART_HOST', `relay:[%s]')dnl", host), fmt.Sprintf("define(`RELAY_MAILER_ARGS', `TCP $h %s')dnl", port))}
		h.join(t, deliveryRules)
		h.wantDeliveredTo(t, far)
	})
}

// By the MX records of a zone: the first of them is not there, the second takes
// the mail.
func TestDeliveryByMX(t *testing.T) {
	needServers(t)
	far := elsewhere(t)
	host, _, _ := strings.Cut(far.Addr, ":")
	far.AddServices(t, host+":25 inet n - n - - smtpd\n")
	knot := servers.StartKnot(t, map[string]string{"far.test": "@ MX 10 gone\n@ MX 20 mx\ngone A 127.254.253.252\nmx A " + host + "\n"})
	h := newHouse(t, deliveryRules, "default_transport = smtp", "smtp_dns_support_level = enabled",
		"smtp_host_lookup = dns", "smtp_connect_timeout = 2s")
	servers.NeedMounts(t)
	h.mta.(*servers.Postfix).Deliver(t, knot.Host())
	h.wantDeliveredTo(t, far)
}
