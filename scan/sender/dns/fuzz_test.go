package dns

import (
	"encoding/binary"
	"testing"

	"github.com/miekg/dns"
)

// FuzzResponse reads what a server may send: whatever it is, the reading is one
// of the question, and comes to an end.
func FuzzResponse(f *testing.F) {
	query, _ := question{"a.example", TXT}.query()
	binary.BigEndian.PutUint16(query.packed, 1)
	for _, line := range []string{`a.example. 60 TXT "x" "\"y\001"`, "a.example. 60 CNAME a.example.", "a.example. 60 A 192.0.2.1"} {
		rr, err := dns.NewRR(line)
		if err != nil {
			f.Fatal(err)
		}
		m := new(dns.Msg).SetReply(&dns.Msg{MsgHdr: dns.MsgHdr{Id: 1}, Question: []dns.Question{query.asked}})
		m.Answer = []dns.RR{rr}
		packed, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(packed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m := query.response(b)
		if m == nil {
			return
		}
		r, err := read(m, query.asked)
		if err == nil && (r.ttl < 0 || r.ttl > longestKept || r.hops > maxAliases) {
			t.Errorf("%+v", r)
		}
	})
}
