package cli

import "strings"

// Manual is what the help of a command says after its options.
type Manual struct {
	Examples []string // command lines, each with what it does after "#"
	Exits    []Exit
}

// Exit is a status a command ends with.
type Exit struct {
	Status int
	Means  string
}

// Statuses that several commands end with.
var (
	done      = Exit{ExitOK, "done"}
	broken    = Exit{ExitError, "something failed; standard error says what"}
	misused   = Exit{ExitUsage, "the command line is wrong; nothing was done"}
	badConfig = Exit{ExitConfig, "the configuration is wrong; nothing was done"}
)

// ManualOf returns the manual of a command, such as "quarantine list".
func ManualOf(name string) Manual {
	if from, ok := strings.CutPrefix(name, "import "); ok {
		return importManual(from)
	}
	switch name {
	case "serve":
		return manual([]string{"milterscan serve -c /etc/milterscan/milterscan.toml"},
			Exit{ExitOK, "it was told to stop, and has answered the last mail"}, misused, Exit{ExitSoftware, "it cannot listen or spool"}, badConfig)
	case "init":
		return manual([]string{"milterscan init # looks, asks, shows, and writes", "milterscan init --dry-run --json",
			"milterscan init --yes --output /tmp/milterscan.toml postfix"}, done, broken,
			Exit{ExitUsage, "the command line is wrong, or there is nobody to ask; nothing was done"})
	case "check":
		return manual([]string{"milterscan check", "milterscan check --changed # only what the files set",
			"milterscan check --effective --rules # all rules, in the order in which they are tried", "milterscan check --json | jq .problems"},
			Exit{ExitOK, "no errors; there may be warnings"}, misused, badConfig)
	case "doctor":
		return manual([]string{"milterscan doctor", "milterscan doctor -v", "milterscan doctor --json",
			"milterscan doctor --nagios # one line, for Nagios and its kin"},
			Exit{ExitOK, "healthy; --nagios: OK"}, Exit{ExitFound, "there are faults; --nagios: WARNING, there is advice"}, Exit{ExitError,
				"--nagios: CRITICAL, there are faults"}, misused)
	case "scan":
		return manual([]string{"milterscan scan mail.eml",
			"milterscan scan --from a@example.net --to b@example.com --client 192.0.2.1 --json *.eml", "milterscan scan - <mail.eml"},
			Exit{ExitOK, "every mail is to be delivered"}, Exit{ExitFound, "some mail is not"}, Exit{ExitError,
				"some file cannot be read"}, misused, badConfig)
	case "replay":
		return manual([]string{"milterscan replay --with /etc/milterscan/new.toml # of all kept mail, what would end otherwise",
			"milterscan replay --sample --with new.toml # of the sample of all mail that [replay] keeps",
			"milterscan replay --since 1w # what is kept, and would not be with the signatures of today",
			"milterscan replay --with new.toml --to bob@example.com --json /var/mail/bob ~bob/Maildir"},
			Exit{ExitOK, "no mail ends otherwise"}, Exit{ExitFound, "some mail does"}, Exit{ExitError,
				"some mail could not be read or judged, or the replay was interrupted"}, misused, badConfig)
	case "filter":
		return manual([]string{"milterscan filter --from a@example.net --to b@example.com <mail >result",
			"milterscan filter --from a@example.net --to b@example.com -- /usr/bin/procmail -d bob <mail"},
			Exit{ExitOK, "accepted; the mail is on standard output, or with a program: the program's status"}, misused, Exit{ExitRefused,
				"refused; standard error has the SMTP reply"},
			Exit{ExitTempfail, "not now: try again later"}, badConfig, Exit{ExitNothingLeft, "accepted, and nothing to pass on: kept or discarded"})
	case "selftest":
		return manual([]string{"milterscan selftest", "milterscan selftest --family H1 --dir /tmp/mails",
			"milterscan selftest --eicar # through the MTA of this host"}, Exit{ExitOK, "nothing got through"},
			Exit{ExitFound, "something did"}, broken, misused, badConfig)
	case "bugreport":
		return manual([]string{"milterscan bugreport >report.txt # and read it before you pass it on"}, done, misused)
	case "completion":
		return manual([]string{"milterscan completion bash >/etc/bash_completion.d/milterscan",
			"milterscan completion zsh >/usr/local/share/zsh/site-functions/_milterscan",
			"milterscan completion fish >/etc/fish/completions/milterscan.fish"}, done, broken, misused)
	case "man":
		return manual([]string{"milterscan man /usr/local/share/man/man1"}, done, broken, misused)
	case "setup":
		return manual([]string{"milterscan setup --dry-run postfix", "milterscan setup postfix", "milterscan setup --uninstall postfix"}, done,
			broken, misused)
	}
	return mailManualOf(name)
}

// mailManualOf returns the manual of a command for kept mail or past mail, or of one that is elsewhere.
func mailManualOf(name string) Manual {
	switch name {
	case "quarantine list":
		return manual([]string{"milterscan quarantine list --to @example.com --since yesterday",
			"milterscan quarantine list --reason 'virus/*' --json"}, done, broken, misused, badConfig)
	case "quarantine show":
		return manual([]string{"milterscan quarantine show 06h08cfwgrgbyv96",
			"milterscan quarantine show --message 4F2A91C0E2 >mail.eml # by the MTA's queue id"}, append(kept(), done)...)
	case "quarantine release":
		return manual([]string{"milterscan quarantine release 06h08cfwgrgbyv96",
			"milterscan quarantine release 06h08cfwgrgbyv96 --to helpdesk@example.com", "milterscan quarantine release " +
				"06h08cfwgrgbyv96 --infected # the recipients get the virus"}, append(kept(), done)...)
	case "quarantine forward":
		return manual([]string{"milterscan quarantine forward 06h08cfwgrgbyv96 --to helpdesk@example.com"}, append(kept(), done)...)
	case "quarantine delete":
		return manual([]string{"milterscan quarantine delete 06h08cfwgrgbyv96"}, append(kept(), done)...)
	case "learn":
		return manual([]string{"milterscan learn spam 06h08cfwgrgbyv96", "milterscan learn ham ./newsletter.eml"}, append(kept(), done)...)
	case "quarantine expire", "quarantine reindex":
		return manual([]string{"milterscan " + name}, done, broken, misused, badConfig)
	case "store check":
		return manual([]string{"milterscan store check", "milterscan store check --quick"},
			Exit{ExitOK, "all messages are whole and settled"},
			Exit{ExitFound, "some are not; standard output names them"}, broken, misused, badConfig)
	case "store migrate":
		return manual([]string{"milterscan store migrate --from sqlite --to postgres"},
			Exit{ExitOK, "all that hosts share is in the database"},
			Exit{ExitFound, "something stays where it is; standard error names it"},
			Exit{ExitError, "it ended before its end; begin it again"}, misused, badConfig)
	case "explain":
		return manual([]string{"milterscan explain 06h08cfwgrgbyv96", "milterscan explain '<message-id@example.net>'",
			"milterscan explain --allow 06h08cfwgrgbyv96 >>/etc/milterscan/policy.d/allow.toml # and \"milterscan check\""},
			done, Exit{ExitFound, "nothing is known of some id, or no rule would let it through"}, misused, badConfig)
	case "history":
		return manual([]string{"milterscan history --to bob@example.com --since 2d",
			"milterscan history --action reject --since '2026-11-29 17:10' " +
				"--long", "milterscan history --client 192.0.2.0/24 --limit 0 --json",
			"milterscan history --count rule --to @example.com --action reject --since 1w",
			"milterscan history --rule default/virus --since 1w --limit 0 --csv >refused.csv # for a spreadsheet"}, done, broken, misused, badConfig)
	case "retro":
		return manual([]string{"milterscan retro # all lists of the configuration, all mail that is remembered",
			"milterscan retro --feed urlhaus --since 1w", "milterscan retro new.hsb incident.txt --json",
			"milterscan retro --kind networks drop.txt"},
			Exit{ExitOK, "no mail had any of it, as far as was recorded; the output says how far"}, Exit{ExitFound, "some mail had"},
			Exit{ExitError, "a list or the history cannot be read, or nothing was recorded"}, misused, badConfig)
	case "top":
		return manual([]string{"milterscan top", "milterscan top --json | jq .action"}, Exit{ExitOK, "it was interrupted"},
			broken, misused, badConfig)
	case "report":
		return manual([]string{"milterscan report --since 1w", "milterscan report --since yesterday --html >report.html"}, done, broken, misused,
			badConfig)
	}
	return listManualOf(name)
}

// listManualOf returns the manual of a command for lists of senders, or of one that is elsewhere.
func listManualOf(name string) Manual {
	wrong := Exit{ExitUsage, "the command line, or an entry, is wrong; standard error says where"}
	switch name {
	case "feed show":
		return manual([]string{"milterscan feed show", "milterscan feed show --json"}, done,
			Exit{ExitFound, "some list is old, or cannot be used"}, broken, misused, badConfig)
	case "feed check":
		return manual([]string{"milterscan feed check evil.example.com http://shared.example.net/eve 192.0.2.7"},
			Exit{ExitOK, "some feed lists some of it"}, Exit{ExitFound, "none does"},
			Exit{ExitError, "some list was never fetched, so it is not known"}, misused, badConfig)
	case "feed update":
		return manual([]string{"milterscan feed update", "milterscan feed update --force urlhaus"}, done, broken, misused, badConfig)
	case "list add":
		return manual([]string{"milterscan list add block --for host @spam.example .bad.example 192.0.2.0/24 --note 'ticket 4711'",
			"milterscan list add allow --for bob@example.com --authenticated --expires 30d news@shop.example"}, done, broken, wrong, badConfig)
	case "list show":
		return manual([]string{"milterscan list show --for bob@example.com", "milterscan list show --like spam.example --limit 0 --json"},
			done, broken, misused, badConfig)
	case "list remove":
		return manual([]string{"milterscan list remove --for host @spam.example", "milterscan list remove --for bob@example.com --all"}, done,
			Exit{ExitFound, "the list has no such entry"}, broken, wrong, badConfig)
	case "list import":
		return manual([]string{"milterscan list import senders.csv",
			"milterscan list import --for host --act block blocklist.txt # one sender on each line",
			"milterscan list import --for example.com --act allow - <partners.txt"}, Exit{ExitOK, "all entries were made"}, broken,
			Exit{ExitUsage, "the command line, or some entry, is wrong; no entry was made"}, badConfig)
	case "list export":
		return manual([]string{"milterscan list export >lists.csv", "milterscan list export --for example.com --format json"},
			done, broken, misused, badConfig)
	}
	return accountManualOf(name)
}

// accountManualOf returns the manual of a command for the console's accounts, or of one
// that needs no more than a line.
func accountManualOf(name string) Manual {
	switch name {
	case "digest preview":
		return manual([]string{"milterscan digest preview --for bob@example.com",
			"milterscan digest preview --for bob@example.com --since 1w --html >digest.html"},
			append(account(), Exit{ExitFound, "there is nothing new, or the address is not ours"})...)
	case "digest send":
		return manual([]string{"milterscan digest send --dry-run # who would get one", "milterscan digest send --for bob@example.com"},
			append(account(), Exit{ExitFound, "there is nothing new, or the address is not ours"})...)
	case "digest status":
		return manual([]string{"milterscan digest status", "milterscan digest status --json | jq .trouble"},
			append(account(), Exit{ExitFound, "there are people who get none any more, as they did not arrive"})...)
	case "digest resume":
		return manual([]string{"milterscan digest resume bob@example.com"},
			append(account(), Exit{ExitFound, "no digest was ever sent there"})...)
	case "dmarc-report preview":
		return manual([]string{"milterscan dmarc-report preview --domain example.org",
			"milterscan dmarc-report preview --domain example.org --day 2026-11-30 >report.xml"},
			append(account(), Exit{ExitFound, "there is nothing to report about the domain and the day"})...)
	case "dmarc-report send":
		return manual([]string{"milterscan dmarc-report send", "milterscan dmarc-report send --domain example.org --day 2026-11-30"},
			append(account(), Exit{ExitFound, "there is nothing to report, or no domain asks for it"})...)
	case "dmarc-report status":
		return manual([]string{"milterscan dmarc-report status",
			"milterscan dmarc-report status --json | jq -r 'select(.state == \"failed\").why'"},
			append(account(), Exit{ExitFound, "there is nothing to report yet"})...)
	case "user add":
		return manual([]string{"milterscan user add --role administrator --require-totp --generate ann",
			"milterscan user add --role domain --domains example.com,.example.com dora <password.txt"},
			append(account(), Exit{ExitFound, "there is an account of that name"})...)
	case "user passwd":
		return manual([]string{"milterscan user passwd --generate ann", "milterscan user passwd --forget-totp ann # whose phone is lost"},
			append(account(), noAccount)...)
	case "user disable", "user enable", "user remove":
		return manual([]string{"milterscan " + name + " bob"}, append(account(), noAccount)...)
	case "user list":
		return manual([]string{"milterscan user list", "milterscan user list --json"}, account()...)
	case "token add":
		return manual([]string{"milterscan token add --for ann --may 'see messages,export' --expires 90d reports"},
			append(account(), Exit{ExitFound, "there is no such account, or it has a token of that name"})...)
	case "token list":
		return manual([]string{"milterscan token list", "milterscan token list --json"}, account()...)
	case "token revoke":
		return manual([]string{"milterscan token revoke --for ann reports"},
			append(account(), Exit{ExitFound, "there is no such account or token"})...)
	case "people show":
		return manual([]string{"milterscan people show ann@example.com", "milterscan people show --json sales@example.com"},
			done, Exit{ExitFound, "no source has the address"}, Exit{ExitError, "no source has it, and some cannot be loaded"}, misused, badConfig)
	case "people check":
		return manual([]string{"milterscan people check", "milterscan people check --json | jq .conflicts"},
			done, Exit{ExitError, "some source cannot be loaded"}, misused, badConfig)
	case "greylist pass":
		return manual([]string{"milterscan greylist pass news@shop.example bob@example.com", "milterscan greylist pass '<>' bob@example.com"},
			done, broken, misused, Exit{ExitConfig, "the configuration is wrong, or does not greylist; nothing was done"})
	case "people limit":
		return manual([]string{"milterscan people limit ann@example.com", "milterscan people limit ann@example.com 6.5",
			"milterscan people limit ann@example.com none"}, done, broken,
			Exit{ExitUsage, "the command line, or the score, is wrong; nothing was done"}, badConfig)
	case "audit":
		return manual([]string{"milterscan audit --since yesterday", "milterscan audit --object 06h08cfwgrgbyv96 # who has seen this message",
			"milterscan audit --person ann --limit 0 --json"}, account()...)
	}
	return manual([]string{"milterscan " + name}, done, misused)
}

// importManual returns the manual of a command that takes over the configuration of another filter.
func importManual(from string) Manual {
	dirs := map[string]string{
		"mailscanner": "/etc/MailScanner", "mailwatch": "/root/dumps", "amavis": "/etc/amavis",
		"rspamd": "/etc/rspamd", "mimedefang": "/etc/mail",
	}
	return manual([]string{"milterscan import " + from + " " + dirs[from] + " --output /root/milterscan",
		"milterscan import " + from + " ./copy --output ./new"},
		Exit{ExitOK, "everything was taken over, or is not needed"},
		Exit{ExitFound, "it was written, and something differs, is not possible or was not understood; report.txt says what"},
		Exit{ExitError, "the files cannot be read, or nothing could be written"}, misused)
}

// manual returns a manual with examples and exit statuses.
func manual(examples []string, exits ...Exit) Manual { return Manual{examples, exits} }

// kept returns the exit statuses of the commands that take ids of kept messages.
func kept() []Exit {
	return []Exit{{ExitFound, "some message is not in the quarantine"}, broken, misused, badConfig}
}

// noAccount is the status of a command that names an account which is not there.
var noAccount = Exit{ExitFound, "there is no such account"}

// account returns the exit statuses of the commands for accounts of the console.
func account() []Exit { return []Exit{done, broken, misused, badConfig} }
