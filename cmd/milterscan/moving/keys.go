package moving

import "strings"

// keyGroup has settings of MailScanner that are treated alike.
type keyGroup struct {
	how  How
	off  string // the values that ask for nothing, with "|" between; a setting with one of them is needless
	why  string
	keys []string
}

// byRule, as the reason, leaves a setting to the function that takes it over and says what became of it.
const byRule = ""

// keyGroups has every setting of MailScanner 5, as its MailScanner.conf spells it, in the order in which a
// message meets them.
var keyGroups = []keyGroup{
	{Needless, "",
		"the MTA keeps the mail and asks milterscan before it accepts a message: there is no queue to read, " +
			"no second MTA, and no batch",
		[]string{
			"Max Children", "Queue Scan Interval", "Incoming Queue Dir", "Outgoing Queue Dir", "MTA", "Sendmail",
			"Sendmail2", "Exim Command", "Lock Type", "Lockfile Dir", "Delivery Method", "Deliver In Background",
			"Split Exim Spool", "Max Unscanned Bytes Per Scan", "Max Unsafe Bytes Per Scan",
			"Max Unscanned Messages Per Scan", "Max Unsafe Messages Per Scan", "Max Normal Queue Size",
			"Maximum Processing Attempts", "Processing Attempts Database", "Qmail Hash Directory Number",
			"Qmail Intd Hash Number", "MSMail Queue Type", "MSMail Relay Port", "MSMail Relay Address",
			"MSMail Delivery Method", "MSMail Socket Type", "MSMail Socket Dir", "Milter PID File", "Milter Scanner",
			"Milter Max Children", "Milter Port", "Milter Bind", "Milter Dispatcher", "Milter Ignore Loopback",
		}},
	{Needless, "",
		"the service runs as its unit file says; \"milterscan setup\" hooks it into the MTA, " +
			"and a reload reads the configuration",
		[]string{
			"Run As User", "Run As Group", "PID File", "Restart Every", "Run In Foreground", "Debug",
			"Debug SpamAssassin", "Automatic Syntax Check", "Minimum Code Status", "MailScanner Version Number",
			"Custom Functions Dir", "First Check", "Hostname", "Local Postmaster",
		}},
	{Needless, "", "messages are opened in memory, or in files without names, [spool]", []string{
		"Incoming Work Dir", "Incoming Work User", "Incoming Work Group", "Incoming Work Permissions",
		"Hide Incoming Work Dir", "Hide Incoming Work Dir In Notices",
	}},
	{Needless, "",
		"formats are read by milterscan itself, within [limits]; no program is called but unar for the rarest",
		[]string{
			"File Command", "File Timeout", "Gunzip Command", "Gunzip Timeout", "Unrar Command", "Unrar Timeout",
			"Un7zip Command", "Un7zip Timeout", "TNEF Expander", "TNEF Timeout", "Expand TNEF", "Antiword",
			"Antiword Timeout", "Unpack Microsoft Documents", "Find UU-Encoded Files", "Find Archives By Content",
			"Archives Are", "Check Filenames In Password-Protected Archives",
		}},
	{Needless, "no",
		"a message that is not well formed, or of which not all can be read, is a finding, and rules decide about it",
		[]string{
			"Deliver Unparsable TNEF", "Ignore Denial Of Service", "Still Deliver Unscannable Messages",
			"Archives Ignore DAT File Executable", "Ignore DAT File Executable",
		}},
	{Needless, "", "who asks for it hears a temporary failure and tries again", []string{
		"Virus Scan Attempts", "Retry Batch On Scanner Failure",
	}},
	{Needless, "", "the log has one line for each message, with all findings; [log], docs/log.md", []string{
		"Syslog Facility", "Syslog Socket Type", "Log Speed", "Log Spam", "Log Non Spam", "Log MCP",
		"Log Permitted Filenames", "Log Permitted Filetypes", "Log Permitted File MIME Types", "Log Silent Viruses",
		"Log Dangerous HTML Tags", "Log SpamAssassin Rule Actions", "Log Delivery And Non-Delivery",
		"Include Scanner Name In Reports",
	}},
	{Needless, "no",
		"the history has a record of every message: [history], \"milterscan history\", and the console",
		[]string{"Always Looked Up Last", "Always Looked Up Last After Batch"}},
	{Needless, "",
		"the server that sends the mail hears the refusal, and tells its user in its own words; " +
			"notices to our own people have templates: [notices]",
		[]string{
			"Language Strings", "Notify Senders", "Notify Senders Of Viruses",
			"Notify Senders Of Blocked Filenames Or Filetypes", "Notify Senders Of Blocked Size Attachments",
			"Notify Senders Of Other Blocked Content", "Never Notify Senders Of Precedence", "Sender Error Report",
			"Sender Bad Content Report", "Sender Bad Filename Report", "Sender Virus Report", "Sender Size Report",
			"Sender Spam Report", "Sender Spam List Report", "Sender SpamAssassin Report", "Sender MCP Report",
			"Rejection Report", "Enable Spam Bounce", "Bounce Spam As Attachment", "Bounce MCP As Attachment",
			"Notices Include Full Headers", "Notice Signature", "Recipient Spam Report", "Recipient MCP Report",
		}},
	{Needless, "", "the text in place of a part is edit.notice, and one for all reasons; it names the reason", []string{
		"Deleted Bad Content Message Report", "Deleted Bad Filename Message Report", "Deleted Virus Message Report",
		"Deleted Size Message Report", "Stored Bad Content Message Report", "Stored Bad Filename Message Report",
		"Stored Virus Message Report", "Stored Size Message Report", "Disinfected Report",
		"Attachment Warning Filename", "Attachment Encoding Charset", "Warning Is Attachment", "Inline HTML Warning",
		"Inline Text Warning", "Inline Spam Warning", "Mark Infected Messages", "Default Rename Pattern",
		"Web Bug Replacement",
	}},
	{Needless, "",
		"mail about which nothing was found bears no field that says so, since anybody can write one; " +
			"headers of a rule can add fields",
		[]string{
			"Mail Header", "Clean Header Value", "Infected Header Value", "Disinfected Header Value",
			"Unscanned Header Value", "Mark Unscanned Messages", "Information Header", "Information Header Value",
			"ID Header", "IP Protocol Version Header", "Multiple Headers", "Place New Headers At Top Of Message",
			"Sign Messages Already Processed", "Spam Virus Header", "Add Envelope From Header",
			"Add Envelope To Header", "Envelope From Header", "Envelope To Header", "Spam Header",
			"Detailed Spam Report", "Always Include SpamAssassin Report", "Include Scores In SpamAssassin Report",
			"Spam Score Number Instead Of Stars", "Spam Score Character", "Minimum Stars If On Spam List",
			"Spam Score Number Format",
		}},
	{Impossible, "no",
		"the subject is marked only where something was found; tag in a rule without conditions would mark all mail",
		[]string{"Scanned Modify Subject"}},
	{Needless, "", "see Scanned Modify Subject", []string{"Scanned Subject Text"}},
	{Needless, "",
		"one limit of size is answered by the MTA and by limits.message, and its mark is not needed",
		[]string{"Size Modify Subject", "Size Subject Text"}},
	{Impossible, "", "header fields of others are not removed; the MTA can: header_checks of Postfix", []string{
		"Remove These Headers",
	}},
	{Impossible, "no", "small files are not made into archives, nor taken out of them", []string{
		"Zip Attachments", "Add Text Of Doc",
	}},
	{Needless, "", "see Zip Attachments", []string{
		"Attachments Zip Filename", "Attachments Min Total Size To Zip", "Attachment Extensions Not To Zip",
	}},
	{Impossible, "0", "members of archives are not attached beside them", []string{"Unzip Maximum Files Per Archive"}},
	{Needless, "", "see Unzip Maximum Files Per Archive", []string{
		"Unzip Maximum File Size", "Unzip Filenames", "Unzip MimeType",
	}},
	{Impossible, "no", "winmail.dat stays as it is; what is in it is looked at like any attachment", []string{
		"Use TNEF Contents",
	}},
	{Impossible, "no",
		"archives without a password are not refused for that; archive/encrypted-* is about those with one",
		[]string{"Archives Must Be Password-Protected"}},
	{Impossible, "no",
		"rules are about what was found, and there is no finding for mail that is not encrypted: " +
			"not_to and to of rules with unless = [\"mime/encrypted\"] can refuse it",
		[]string{"Block Unencrypted Messages"}},
	{Impossible, "no", "only pages in which something was found become plain text: edit = \"text\"", []string{
		"Convert HTML To Text",
	}},
	{Impossible, "no",
		"links whose text names no place are not shown; content.hidden_links has them found, and a rule about " +
			"content/link-hidden with edit = \"disarm\" marks them",
		[]string{"Highlight Hidden URLs"}},
	{Needless, "", "the public suffix list is built in", []string{"Country Sub-Domains List"}},
	{Impossible, "",
		"images that are no web bugs are listed in content.spacers, and hosts that count in content.bug_hosts; " +
			"add yours there",
		[]string{"Ignored Web Bug Filenames", "Known Web Bug Servers"}},
	{Impossible, "no", "a banner has no picture; html of [[edit.banner]] may name one", []string{
		"Attach Image To Signature", "Attach Image To HTML Message Only",
	}},
	{Needless, "", "see Attach Image To Signature", []string{
		"Signature Image Filename", "Signature Image <img> Filename",
	}},
	{Impossible, "", "files with keys of senders are not collected", []string{"Public Key Archive Dir"}},
	{Impossible, "no", "files with keys of senders are not collected", []string{"Archive Public Keys"}},
	{Impossible, "no",
		"infected files are not repaired; edit = \"clean\" takes infected members out of archives " +
			"and macros out of documents",
		[]string{"Deliver Disinfected Files"}},
	{Impossible, "no",
		"infected mail is not passed on as it is; a rule with when = [\"infected\"] " +
			"and action = \"deliver\" would do it",
		[]string{"Still Deliver Silent Viruses Unmodified"}},
	{Needless, "", "infected mail is scanned for all else as well", []string{"Still Scan Silent Viruses"}},
	{Differs, "", "infected mail is treated alike, whatever the virus: see Silent Viruses", []string{
		"Non-Forging Viruses",
	}},
	{Differs, "",
		"what an engine calls by such a name counts as infected; a rule with when = [\"virus/NAME*\"] before the " +
			"others can treat it as spam",
		[]string{"Virus Names Which Are Spam"}},
	{Impossible, "no",
		"the engine gets what feed of [[virus]] says: parts, and the message itself where it can be read in several " +
			"ways; feed = \"both\" is all of it",
		[]string{"ClamAV Full Message Scan"}},
	{Needless, "", "engines are asked through their sockets, and load new signatures by themselves", []string{
		"Clamd Lock File", "Clamd Use Threads", "Monitors For ClamAV Updates", "Monitors For Sophos Updates",
		"Virus Scanner Definitions", "ClamAVmodule Maximum Recursion Level", "ClamAVmodule Maximum Files",
		"ClamAVmodule Maximum File Size", "ClamAVmodule Maximum Compression Ratio", "Allowed Sophos Error Messages",
		"Sophos IDE Dir", "Sophos Lib Dir", "Fpscand Port", "Avastd Socket", "KSE Socket", "KSE Port", "Fsecure Socket",
		"SAVID Socket",
	}},
	{Needless, "", "the original is kept whole, in one form, for quarantine.keep", []string{
		"Quarantine Whole Message", "Quarantine Whole Messages As Queue Files", "Quarantine Modified Body",
		"Quarantine Denial Of Service", "Keep Spam And MCP Archive Clean", "Missing Mail Archive Is", "Quarantine User",
		"Quarantine Group", "Quarantine Permissions",
	}},
	{Impossible, "no",
		"what MailScanner refuses by a ruleset, a rule with action = \"reject\" and from, to or client refuses",
		[]string{"Reject Message"}},
	{Impossible, "no",
		"a text for mail from elsewhere is written by a rule with direction = [\"inbound\"] and banner = \"NAME\", " +
			"once local.domains is set",
		[]string{"External Message Warning"}},
	{Needless, "", "see External Message Warning", []string{
		"Inline HTML External Warning", "Inline Text External Warning",
	}},
	{Impossible, "no",
		"headers that the MTA or another filter has left are believed only from local.relays, " +
			"which names the hosts that pass mail on",
		[]string{"Read IP Address From Received Header"}},
	{Needless, "", "each recipient has its own decision", []string{"Use Default Rules With Multiple Recipients"}},
	{Impossible, "",
		"mail to many recipients is allowed for each of them; a [[rate.limit]] bounds recipients",
		[]string{"Ignore Spam Whitelist If Recipients Exceed"}},
	{Needless, "", "a check that fails is not asked again for a while, and says so; what it found counts", []string{
		"Max SpamAssassin Timeouts", "SpamAssassin Timeouts History", "Max Spam List Timeouts",
		"Spam List Timeouts History", "Check SpamAssassin If On Spam List", "Max Spam Check Size",
	}},
	{Needless, "",
		"mail of clients that have authenticated, and of local.networks, is not looked up in lists",
		[]string{"Spam Lists Skip If Authenticated", "Auto Whitelist Auth Users"}},
	{Needless, "",
		"spamd has its own files, user, cache and database of words; what it is told, it is told by it",
		[]string{
			"SpamAssassin Auto Whitelist", "SpamAssassin Prefs File", "Cache SpamAssassin Results",
			"SpamAssassin Cache Database File", "SpamAssassin Cache Timings", "SpamAssassin User State Dir",
			"SpamAssassin Site Rules Dir", "SpamAssassin Local Rules Dir", "SpamAssassin Local State Dir",
			"SpamAssassin Default Rules Dir", "SpamAssassin Install Prefix", "SpamAssassin Temporary Dir",
			"Rebuild Bayes Every", "Wait During Bayes Rebuild", "Include Binary Attachments In SpamAssassin",
		}},
	{Impossible, "",
		"a rule with when = [\"spam/sa/NAME\"] does something for one rule of SpamAssassin: write one for each",
		[]string{"SpamAssassin Rule Actions"}},
	{Impossible, "no", "no code of others is run; ask a scorer by [spam.spamassassin] or [spam.rspamd]", []string{
		"Use Custom Spam Scanner",
	}},
	{Needless, "", "see Use Custom Spam Scanner", []string{
		"Max Custom Spam Scanner Size", "Custom Spam Scanner Timeout", "Max Custom Spam Scanner Timeouts",
		"Custom Spam Scanner Timeout History",
	}},
	{Impossible, "no",
		"marks on outgoing mail are made by [bounce], with a key of its own; docs/bounces.md has the three lines",
		[]string{"Use Watermarking"}},
	{Needless, "", "see Use Watermarking", []string{
		"Add Watermark", "Check Watermarks With No Sender", "Check Watermarks To Skip Spam Checks",
		"Treat Invalid Watermarks With No Sender As Spam", "Watermark Secret", "Watermark Header", "Watermark Lifetime",
	}},
	{Impossible, "no",
		"words are looked for by [[content.list]], each list a finding for rules; " +
			"rules of SpamAssassin for MCP are code for SpamAssassin",
		[]string{"MCP Checks"}},
	{Needless, "", "see MCP Checks", []string{
		"MCP Use SpamAssassin", "MCP Required SpamAssassin Score", "MCP High SpamAssassin Score", "MCP Error Score",
		"MCP Header", "Non MCP Actions", "MCP Actions", "High Scoring MCP Actions", "Is Definitely MCP",
		"Is Definitely Not MCP", "Definite MCP Is High Scoring", "Always Include MCP Report", "Detailed MCP Report",
		"Include Scores In MCP Report", "MCP Max SpamAssassin Timeouts", "MCP Max SpamAssassin Size",
		"MCP SpamAssassin Timeout", "MCP SpamAssassin Prefs File", "MCP SpamAssassin User State Dir",
		"MCP SpamAssassin Local Rules Dir", "MCP SpamAssassin Default Rules Dir", "MCP SpamAssassin Install Prefix",
		"MCP Modify Subject", "MCP Subject Text", "High Scoring MCP Modify Subject", "High Scoring MCP Subject Text",
	}},
	{Impossible, "",
		"settings in a directory or a database are not read: write them out into files, and import those; " +
			"people and their lists are [[people.source]] and \"milterscan list import\"",
		[]string{
			"LDAP Base", "LDAP Server", "LDAP Site", "DB DSN", "DB Username", "DB Password", "SQL Serial Number",
			"SQL Quick Peek", "SQL Config", "SQL Ruleset", "SQL SpamAssassin Config",
		}},
	{Needless, "", "nothing is asked of a database", []string{"SQL Debug"}},
	{Impossible, "no",
		"the sender alone decides whether an HTML signature is put in again: " +
			"banner of a rule is put into each mail once",
		[]string{"Allow Multiple HTML Signatures"}},
	{Needless, "", "a text is put in once", []string{"Don't Sign HTML If Headers Exist"}},
	{Taken, "", byRule, []string{
		"Sign Clean Messages", "Inline HTML Signature", "Inline Text Signature", "Filename Rules", "Filetype Rules",
		"Allow Filenames", "Deny Filenames", "Allow Filetypes", "Deny Filetypes", "Allow File MIME Types",
		"Deny File MIME Types", "Archives: Filename Rules", "Archives: Filetype Rules", "Archives: Allow Filenames",
		"Archives: Deny Filenames", "Archives: Allow Filetypes", "Archives: Deny Filetypes",
		"Archives: Allow File MIME Types", "Archives: Deny File MIME Types", "Filename Modify Subject",
		"Filename Subject Text", "Content Modify Subject", "Content Subject Text", "Virus Modify Subject",
		"Virus Subject Text", "Disarmed Modify Subject", "Disarmed Subject Text", "Quarantine Infections",
		"Deliver Cleaned Messages", "Send Notices", "Notices To", "Notices From", "Virus Scanners", "Virus Scanning",
		"Virus Scanner Timeout", "Clamd Socket", "Clamd Port", "Silent Viruses", "Still Deliver Silent Viruses",
		"Quarantine Silent Viruses", "Dangerous Content Scanning", "Allow IFrame Tags", "Allow Form Tags",
		"Allow Script Tags", "Allow WebBugs", "Allow Object Codebase Tags", "Allow Partial Messages",
		"Allow External Message Bodies", "Allow Password-Protected Archives", "Block Encrypted Messages",
		"Convert Dangerous HTML To Text", "Find Phishing Fraud", "Also Find Numeric Phishing",
		"Use Stricter Phishing Net", "Highlight Phishing Fraud", "Highlight Mailto Phishing", "Phishing Modify Subject",
		"Phishing Subject Text", "Phishing Safe Sites File", "Phishing Bad Sites File", "Maximum Message Size",
		"Maximum Attachment Size", "Minimum Attachment Size", "Maximum Attachments Per Message",
		"Maximum Archive Depth", "Scan Messages", "Archive Mail", "Quarantine Dir", "Spam Score", "Spam Score Header",
		"Spam Checks", "Is Definitely Not Spam", "Is Definitely Spam", "Definite Spam Is High Scoring",
		"Required SpamAssassin Score", "High SpamAssassin Score", "Spam Actions", "High Scoring Spam Actions",
		"Non Spam Actions", "Spam Modify Subject", "Spam Subject Text", "High Scoring Spam Modify Subject",
		"High Scoring Spam Subject Text", "Use SpamAssassin", "Max SpamAssassin Size", "SpamAssassin Timeout",
		"Spam List", "Spam Domain List", "Spam List Definitions", "Spam Lists To Be Spam",
		"Spam Lists To Reach High Score", "Spam List Timeout",
	}},
}

// knownKeys returns the group of each setting, by its normal name.
func knownKeys() map[string]*keyGroup {
	known := map[string]*keyGroup{}
	for i := range keyGroups {
		for _, key := range keyGroups[i].keys {
			known[normal(key)] = &keyGroups[i]
		}
	}
	return known
}

// isOff reports whether a value asks for nothing.
func (g *keyGroup) isOff(value string) bool {
	if value == "" || strings.EqualFold(value, "no") && g.off == "0" {
		return true
	}
	for _, off := range strings.Split(g.off, "|") {
		if off != "" && strings.EqualFold(value, off) {
			return true
		}
	}
	return false
}
