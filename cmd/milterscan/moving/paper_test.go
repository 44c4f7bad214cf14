package moving_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/cmd/milterscan/moving"
	"github.com/milterscan/milterscan/policy/people"
	"github.com/milterscan/milterscan/policy/people/listfile"
	"github.com/milterscan/milterscan/tests/sample"
)

// The mails that every table has.
var (
	virus     = plain("a.txt|" + sample.EICAR)
	byName    = plain("a.exe|x")
	byContent = sample.Attached("letter", sample.Program("a.dat"))
	inArchive = sample.Attached("letter", sample.Zip("a.zip", sample.File{Name: "a.exe", Type: "application/octet-stream", Content: []byte("x")}))
	text      = sample.Attached("letter", sample.Zip("a.zip", sample.File{Name: "a.txt", Type: "text/plain", Content: []byte("x")}))
	piece     = typed("message/partial; id=x; number=1; total=2")
)

// shut returns a mail with an archive whose password is not in the mail.
func shut(t *testing.T) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.FromSlash("../../../scan/format/archive/testdata/zipcrypto.zip"))
	if err != nil {
		t.Fatal(err)
	}
	return sample.Attached("letter", sample.File{Name: "a.zip", Type: "application/zip", Content: content})
}

// The reasons that many rows share.
const (
	notBounced = "it is refused while its client waits, and not bounced"
	byProfile  = "programs by their names and contents, also in archives"
	byLock     = "archives with a password"
	byPiece    = "messages that are pieces or whose content is elsewhere"
)

func amavisMails(locked []byte) []mail {
	return []mail{
		{name: "a letter", text: plain(), theirs: "deliver", ours: "deliver"},
		{name: "a text in an archive", text: text, theirs: "deliver", ours: "deliver"},
		{name: "a virus", text: virus, theirs: "keep", ours: "keep"},
		{name: "a virus for one who loves them", to: "lab@example.com", text: virus, theirs: "deliver", ours: "keep", why: "infected mail is let through for nobody by a list"},
		{name: "a program by its name", text: byName, theirs: "bounce", ours: "reject", why: notBounced},
		{name: "a program by its content", text: byContent, theirs: "bounce", ours: "reject", why: notBounced},
		{name: "a program in an archive", text: inArchive, theirs: "bounce", ours: "reject", why: notBounced},
		{name: "a program that looks like a document", text: plain("a.pdf.scr|x"), theirs: "bounce", ours: "reject", why: notBounced},
		{name: "a program for one who loves them", to: "lab@example.com", text: byName, theirs: "deliver", ours: "deliver"},
		{name: "a type that is banned", text: letter("application/x-msdownload", "x"), theirs: "bounce", ours: "deliver", why: "media types are a rule's part"},
		{name: "a shortcut, which only Perl finds", text: plain("a.lnk|x"), theirs: "bounce", ours: "deliver", why: "looks ahead or behind, which only Perl can; what it denied passes"},
		{name: "a score for the header alone", score: 3, text: plain(), theirs: "deliver", ours: "deliver"},
		{name: "spam", score: 7, text: plain(), theirs: "deliver ***SPAM***", ours: "deliver ***SPAM***"},
		{name: "much spam", score: 12, text: plain(), theirs: "keep", ours: "keep"},
		{name: "much spam for one who gets all", to: "postmaster@example.com", score: 12, text: plain(), theirs: "deliver ***SPAM***", ours: "deliver ***SPAM***"},
		{name: "a letter for one who gets all", to: "abuse@example.com", score: 2, text: plain(), theirs: "deliver", ours: "deliver"},
		{name: "much spam from a partner", from: "x@a.partner.example", score: 12, text: plain(), theirs: "deliver", ours: "deliver"},
		{name: "a sender who is no friend", from: "offers@bulk.example", text: plain(), theirs: "keep", ours: "keep"},
		{name: "a domain that is no friend", from: "x@spam.example", text: plain(), theirs: "keep", ours: "keep"},
		{name: "a sender whose score is lowered", from: "news@list.example", score: 12, text: plain(), theirs: "deliver ***SPAM***", ours: "keep",
			why: "@score_sender_maps = ( { '.' => [ { 'news@list.example' => -5.0 } ] } ); it is not taken over"},
		{name: "much spam from us", client: "192.0.2.9", from: "bob@example.com", to: "ann@elsewhere.example", score: 12, text: plain(), theirs: "deliver", ours: "deliver"},
		{name: "an archive with a password", text: locked, theirs: "deliver ***UNCHECKED***", ours: "reject", why: byLock},
		{name: "a piece of a message", text: piece, theirs: "deliver", ours: "reject", why: byPiece},
	}
}

func rspamdMails(locked []byte) []mail {
	return []mail{
		{name: "a letter", score: 1, text: plain(), theirs: "deliver", ours: "deliver"},
		{name: "a virus", text: virus, theirs: "reject", ours: "reject"},
		{name: "a virus from one whom we know", from: "x@partner.example", text: virus, theirs: "deliver", ours: "reject", why: "what is infected or forbidden still counts"},
		{name: "much spam", score: 16, text: plain(), theirs: "reject", ours: "reject"},
		{name: "spam for the subject", score: 9, text: plain(), theirs: "deliver [SPAM]", ours: "deliver [SPAM]"},
		{name: "spam for the header", score: 6.5, text: plain(), theirs: "deliver X-Spam", ours: "deliver X-Spam"},
		{name: "a score to be put off", score: 4.5, text: plain(), theirs: "tempfail", ours: "deliver", why: "[greylist] with min_score puts new senders off"},
		{name: "much spam from one whom we know", from: "news@list.example", score: 20, text: plain(), theirs: "deliver", ours: "deliver"},
		{name: "a network that is refused", client: "198.51.100.9", text: plain(), theirs: "reject", ours: "reject"},
		{name: "an old address", to: "sales-2019@example.com", score: 7, text: plain(), theirs: "deliver X-Spam", ours: "deliver X-Spam"},
		{name: "our own domain, forged", symbols: []string{"R_SPF_FAIL", "DMARC_POLICY_REJECT"}, text: plain(), theirs: "reject", ours: "reject"},
		{name: "our own domain, by a list", symbols: []string{"R_SPF_FAIL", "DMARC_POLICY_REJECT", "WHITELIST_DMARC"}, text: plain(), theirs: "deliver", ours: "deliver"},
		{name: "half of what is forged", symbols: []string{"R_SPF_FAIL"}, text: plain(), theirs: "deliver", ours: "deliver"},
		{name: "a link that is known", symbols: []string{"PHISHED_PHISHTANK"}, text: plain(), theirs: "deliver X-Spam", ours: "deliver X-Spam"},
		{name: "much spam for one who gets all", to: "abuse@example.com", score: 20, text: plain(), theirs: "deliver", ours: "deliver"},
		{name: "spam for the careful", to: "ann@bank.example", score: 9.5, text: plain(), theirs: "reject", ours: "reject"},
		{name: "little spam for the careful", to: "ann@bank.example", score: 4.5, text: plain(), theirs: "deliver X-Spam", ours: "deliver X-Spam"},
		{name: "a letter for the careful", to: "ann@bank.example", score: 2, text: plain(), theirs: "deliver", ours: "deliver"},
		{name: "ours, without the groups that do not count", login: "bob", from: "bob@example.com", to: "ann@elsewhere.example", score: 6, text: plain(), theirs: "deliver", ours: "deliver X-Spam",
			why: `settings ours the condition "authenticated" is not taken over`},
		{name: "an extension that is refused", text: plain("a.iso|x"), theirs: "reject", ours: "reject"},
		{name: "another extension that is refused", text: plain("a.img|x"), theirs: "reject", ours: "reject"},
		{name: "a program by its name", score: 3, text: byName, theirs: "deliver", ours: "reject", why: byProfile},
		{name: "a program in an archive", score: 3, text: inArchive, theirs: "deliver", ours: "reject", why: byProfile},
		{name: "an archive with a password", score: 2, text: locked, theirs: "deliver", ours: "reject", why: byLock},
	}
}

func mimedefangMails(locked []byte) []mail {
	return []mail{
		{name: "a letter", text: plain(), theirs: "deliver", ours: "deliver"},
		{name: "a text", text: plain("a.txt|x"), theirs: "deliver", ours: "deliver"},
		{name: "a text in an archive", text: text, theirs: "deliver", ours: "deliver"},
		{name: "a virus", text: virus, theirs: "drop", ours: "reject", why: "a rule about infected mail, which is refused"},
		{name: "a program by its name", text: byName, theirs: "cut", ours: "reject", why: "attachment.deny, which has what is refused"},
		{name: "a script", text: plain("a.vbs|x"), theirs: "cut", ours: "reject", why: "attachment.deny, which has what is refused"},
		{name: "a link to a page", text: plain("a.url|x"), theirs: "cut", ours: "reject", why: "attachment.deny, which has what is refused"},
		{name: "a program that looks like a document", text: plain("a.pdf.scr|x"), theirs: "cut", ours: "reject", why: "attachment.deny, which has what is refused"},
		{name: "a class identifier", text: plain("a.{3050f4d8-98b5-11cf-bb82-00aa00bdce0b}|x"), theirs: "cut", ours: "reject", why: "names with a class identifier are always refused"},
		{name: "an extension that the list does not have", text: plain("a.iso|x"), theirs: "deliver", ours: "deliver"},
		{name: "a program by its content", text: byContent, theirs: "deliver", ours: "reject", why: "contents and members of archives are judged as shipped"},
		{name: "a program in an archive", text: inArchive, theirs: "deliver", ours: "reject", why: "contents and members of archives are judged as shipped"},
		{name: "a piece of a message", text: piece, theirs: "reject", ours: "reject"},
		{name: "an archive with a password", text: locked, theirs: "deliver", ours: "reject", why: byLock},
		{name: "more parts than there may be", text: plain(strings.Split(strings.Repeat("a.txt|x ", 60), " ")[:60]...), theirs: "reject", ours: "reject"},
		{name: "spam", score: 7, text: plain(), theirs: "deliver X-Spam-Score", ours: "deliver", why: "what it does at the end is a rule about the score, or headers of a rule"},
		{name: "much spam", score: 13, text: plain(), theirs: "reject", ours: "deliver", why: "what it does at the end is a rule about the score, or headers of a rule"},
		{name: "a network that is refused", client: "198.51.100.9", text: plain(), theirs: "reject", ours: "deliver", why: "what it asks of clients is a rule with client"},
		{name: "a sender who is refused", from: "x@spam.example", text: plain(), theirs: "reject", ours: "deliver", why: "what it asks of senders is a rule with from"},
	}
}

// Under the MailScanner of the table, spam from 6 on is marked, and kept from 12 on; its white and black lists, and
// the scores of users, are those of MailWatch.
func mailwatchMails([]byte) []mail {
	return []mail{
		{name: "a letter", text: plain(), theirs: "deliver", ours: "deliver"},
		{name: "spam", to: "carol@example.com", score: 7, text: plain(), theirs: "deliver {Spam?}", ours: "deliver {Spam?}"},
		{name: "much spam", to: "carol@example.com", score: 13, text: plain(), theirs: "keep", ours: "keep"},
		{name: "much spam from one whom all allow", from: "x@partner.example", score: 20, text: plain(), theirs: "deliver", ours: "deliver"},
		{name: "much spam from one whom she allows", from: "x@shop.example", to: "ann@example.com", score: 20, text: plain(), theirs: "deliver", ours: "deliver"},
		{name: "the same for another", from: "x@shop.example", to: "carol@example.com", score: 20, text: plain(), theirs: "keep", ours: "keep"},
		{name: "much spam from a network that is allowed", client: "192.0.2.77", score: 20, text: plain(), theirs: "deliver", ours: "deliver"},
		{name: "much spam for one who wants all", to: "all@example.com", score: 20, text: plain(), theirs: "deliver", ours: "keep", why: "an entry is about a sender; for whoever wants all mail"},
		{name: "one whom all block", from: "x@spam.example", text: plain(), theirs: "deliver {Spam?}", ours: "reject", why: "mail of a sender who is blocked is refused"},
		{name: "a client whom all block", client: "198.51.100.7", text: plain(), theirs: "deliver {Spam?}", ours: "reject", why: "mail of a sender who is blocked is refused"},
		{name: "one whom he blocks", from: "offers@shop.example", to: "bob@example.com", text: plain(), theirs: "deliver {Spam?}", ours: "reject", why: "mail of a sender who is blocked is refused"},
		{name: "the same for another", from: "offers@shop.example", to: "carol@example.com", text: plain(), theirs: "deliver", ours: "deliver"},
		{name: "one whom all allow and he blocks", from: "news@list.example", to: "bob@example.com", text: plain(), theirs: "deliver", ours: "reject", why: "also if a list of others allows the sender"},
		{name: "one whom all allow, for another", from: "news@list.example", to: "carol@example.com", score: 20, text: plain(), theirs: "deliver", ours: "deliver"},
		{name: "spam by his own score", to: "bob@example.com", score: 5, text: plain(), theirs: "deliver {Spam?}", ours: "deliver {Spam?}"},
		{name: "no spam by the score of others", to: "carol@example.com", score: 5, text: plain(), theirs: "deliver", ours: "deliver"},
		{name: "much spam by his own score", to: "bob@example.com", score: 10, text: plain(), theirs: "keep", ours: "deliver {Spam?}", why: "a person has one limit; a second one is a rule"},
		{name: "a virus for one who is not scanned", to: "lab@example.com", text: virus, theirs: "deliver", ours: "reject", why: "nobody is left out of all checks"},
	}
}

// TestSameMailsOthers sends the same mails through the rules of other filters, on paper, and through those that were
// made of them.
func TestSameMailsOthers(t *testing.T) {
	for _, row := range []struct {
		name, scorer string
		read         func(string, func()) (*moving.Result, error)
		mails        func(locked []byte) []mail
		more         func(t *testing.T, dir string, r *moving.Result)
	}{
		{"amavis", "spamassassin", moving.Amavis, amavisMails, nil},
		{"rspamd", "rspamd", moving.Rspamd, rspamdMails, nil},
		{"mimedefang", "spamassassin", moving.Mimedefang, mimedefangMails, withEngine},
		{"mailwatch", "spamassassin", moving.MailWatch, mailwatchMails, withLists},
	} {
		t.Run(row.name, func(t *testing.T) {
			mails := row.mails(shut(t))
			if len(mails) < 12 {
				t.Fatalf("there are only %d mails", len(mails))
			}
			r, err := row.read(filepath.Join("testdata", "paper", row.name), func() {})
			if err != nil {
				t.Fatal(err)
			}
			judge, recall := judgeOf(t, r, func(dir string) {
				if row.more != nil {
					row.more(t, dir, r)
				}
			})
			compare(t, r, judge, recall, row.scorer, mails)
		})
	}
}

// engine is what an administrator adds where the engines of the other filter are called by code.
const engine = `
[[virus]]
name = "clamd"
type = "clamd"
address = ["unix:/var/run/clamav/clamd.ctl"]
`

// scores are the rules about spam that the import of MailScanner makes.
const scores = `
[[rule]]
name = "high"
when = ["spam/spamassassin >= 12"]
action = "quarantine"

[[rule]]
name = "spam"
when = ["score >= own 6"]
action = "deliver"
tag = "{Spam?}"
`

// withEngine adds an engine.
func withEngine(t *testing.T, dir string, _ *moving.Result) {
	t.Helper()
	change(t, filepath.Join(dir, moving.ConfigName), func(conf string) string { return conf + engine })
}

// withLists adds an engine, the scores of MailScanner, and the lists and limits of people.
func withLists(t *testing.T, dir string, r *moving.Result) {
	t.Helper()
	file := filepath.Join(dir, "people.db")
	change(t, filepath.Join(dir, moving.ConfigName), func(conf string) string {
		return conf + "\n[people]\nfile = \"" + file + "\"\n" + engine + scores
	})
	store := people.New(file)
	defer store.Close()
	maker := people.Entry{Maker: "import"}
	if n, err := store.Import(t.Context(), people.Maker{Name: "import", Level: people.OfHost},
		listfile.Read("senders.csv", []byte(r.Lists["lists/senders.csv"]), maker)); err != nil || n != 8 {
		t.Fatal(n, err)
	}
	for line := range strings.Lines(r.Lists["lists/commands.txt"]) {
		address, limit, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "milterscan people limit "), " ")
		if !strings.HasPrefix(line, "milterscan people limit ") || !ok {
			continue
		}
		within := people.Bounds{Most: 100}
		l, ok := within.Read(address, limit)
		if err := store.SetLimit(t.Context(), within, l); err != nil || !ok {
			t.Fatal(line, err)
		}
	}
}
