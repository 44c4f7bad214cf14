package content

import (
	"github.com/milterscan/milterscan/scan/open/texts"
	"github.com/milterscan/milterscan/scan/units"
)

// DefaultConfig returns the shipped configuration.
func DefaultConfig() Config {
	c := Config{
		Phishing:    PhishingDomain,
		Redirectors: redirectors(),
		Exempt:      []string{"asp.net", "ado.net", "vb.net", "ml.net", "paint.net", "socket.io"},
		BugSize:     2,
		BugHosts:    bugHosts(),
		Spacers: []string{"spacer.gif", "spacer.png", "blank.gif", "clear.gif", "transparent.gif", "transparent.png", "shim.gif",
			"trans.gif"},
		HiddenText: 100,
		Smuggled:   4 * units.KB,
		Limits:     texts.DefaultLimits(),
	}
	for _, s := range safe {
		c.Safe = append(c.Safe, s.domain)
	}
	return c
}

// reason is a domain that may be after any text, and why.
type reason struct{ domain, why string }

// safe are services that send newsletters for others and count clicks under their
// own domains, which take part in feedback loops and act on abuse. Link
// shorteners are none: anybody may use them for anything.
var safe = [...]reason{
	{"acemlna.com", "ActiveCampaign counts clicks there"},
	{"activehosted.com", "ActiveCampaign's customers' pages"},
	{"awstrack.me", "Amazon SES counts clicks there"},
	{"aweber.com", "AWeber counts clicks there"},
	{"campaign-archive.com", "Mailchimp shows campaigns there"},
	{"cmail19.com", "Campaign Monitor counts clicks there"},
	{"cmail20.com", "Campaign Monitor counts clicks there"},
	{"constantcontact.com", "Constant Contact counts clicks there"},
	{"createsend.com", "Campaign Monitor's older domain"},
	{"createsend1.com", "Campaign Monitor counts clicks there"},
	{"crsend.com", "CleverReach counts clicks there"},
	{"ct.sendgrid.net", "SendGrid counts clicks there"},
	{"emarsys.net", "Emarsys counts clicks there"},
	{"en25.com", "Oracle Eloqua counts clicks there"},
	{"exacttarget.com", "Salesforce Marketing Cloud counts clicks there"},
	{"exct.net", "Salesforce Marketing Cloud's short domain"},
	{"getresponse.com", "GetResponse counts clicks there"},
	{"hubspotemail.net", "HubSpot counts clicks there"},
	{"hubspotlinks.com", "HubSpot counts clicks there"},
	{"icptrack.com", "iContact counts clicks there"},
	{"infusionsoft.com", "Keap counts clicks there"},
	{"klclick.com", "Klaviyo counts clicks there"},
	{"klclick1.com", "Klaviyo counts clicks there"},
	{"list-manage.com", "Mailchimp counts clicks there"},
	{"mailcontrol.com", "Forcepoint's check of links, which names no place"},
	{"mailgun.org", "Mailgun counts clicks there"},
	{"mandrillapp.com", "Mailchimp Transactional counts clicks there"},
	{"mjt.lu", "Mailjet counts clicks there"},
	{"mktoweb.com", "Adobe Marketo counts clicks there"},
	{"mlsend.com", "MailerLite counts clicks there"},
	{"pardot.com", "Salesforce Pardot counts clicks there"},
	{"pmtrk.com", "Postmark counts clicks there"},
	{"pstmrk.it", "Postmark counts clicks there"},
	{"rs6.net", "Constant Contact counts clicks there"},
	{"rsgsv.net", "Mailchimp's sending domain"},
	{"sendibm1.com", "Brevo counts clicks there"},
	{"sendibm3.com", "Brevo counts clicks there"},
	{"sendinblue.com", "Brevo's older domain"},
	{"sparkpostmail.com", "SparkPost counts clicks there"},
	{"srv2.de", "Optimizely Campaign counts clicks there"},
	{"atpscan.global.hornetsecurity.com", "Hornetsecurity's check of links, where its link names no place"},
	{"mimecast.com", "Mimecast's check of links, where its link names no place"},
	{"mimecastprotect.com", "Mimecast's check of links, where its link names no place"},
	{"protect.checkpoint.com", "Check Point's check of links, where its link names the place in cipher"},
	{"seclinks.cloud-security.net", "Hornetsecurity's check of links, which names no place"},
	{"avanan.click", "Check Point's check of links, where its link names the place in cipher"},
	{"url.emailprotection.link", "Proofpoint Essentials' check of links, which names no place"},
	{"safelinks.protection.outlook.com", "Microsoft's own check of links, where its link names no place"},
	{"urldefense.com", "Proofpoint's check of links, where its link names no place"},
	{"urldefense.proofpoint.com", "Proofpoint's older check of links"},
}

// redirectors returns services whose links name the place they lead to: checks of
// links by mail gateways and mailboxes, search engines, social networks.
func redirectors() []string {
	return []string{
		"safelinks.protection.outlook.com?url", "safelinks.protection.office365.us?url",
		"statics.teams.cdn.office.net?url", "safelink.emails.azure.net?destination",
		"urldefense.proofpoint.com/v1/url?u", "urldefense.proofpoint.com/v2/url?u",
		"urldefense.proofpoint.com/v3/", "urldefense.com/v3/", "urldefense.us/v3/",
		"linkprotect.cudasvc.com/url?a", "protection.sophos.com?u", "protection.sophos.com?d", "secure-web.cisco.com?u", "secure-web.cisco.com/",
		"clicktime.symantec.com?u", "url.emailprotection.link?b", "trendmicro.com/wis/clicktime?url", "fireeye.com?u",
		"mimecast.com?domain", "mimecastprotect.com?domain", "inky.com/link?domain",
		"atpscan.global.hornetsecurity.com?u", "protect.checkpoint.com/v2/", "avanan.click/v2/", "edgepilot.com?u", "urlsand.esvalabs.com?u",
		"linklock.titanhq.com?url", "scanmail.trustwave.com?u", "linkscan.io/scan/ux/",
		"menlosecurity.com/", "deref-mail.com?redirectUrl", "deref-gmx.net?redirectUrl",
		"deref-web.de?redirectUrl",
		"google.*/url?q", "google.*/url?url", "googleadservices.com/pagead/aclk?adurl", "adclick.g.doubleclick.net?adurl",
		"bing.com/ck/a?u", "duckduckgo.com/l/?uddg", "r.search.yahoo.com/",
		"web.archive.org/web/",
		"l.facebook.com/l.php?u", "lm.facebook.com/l.php?u", "l.messenger.com/l.php?u",
		"l.instagram.com?u", "l.wl.co/l?u", "linkedin.com/redir?url",
		"linkedin.com/safety/go?url", "youtube.com/redirect?q", "out.reddit.com?url",
		"slack-redir.net/link?url", "steamcommunity.com/linkfilter?url",
		"steamcommunity.com/linkfilter?u", "vk.com/away.php?to", "t.umblr.com/redirect?z", "medium.com/r/?url", "exit.sc?url",
	}
}

// bugHosts returns services that tell senders of single mails when these are read.
func bugHosts() []string {
	return []string{
		"mailtrack.io", "mailfoogae.appspot.com", "t.yesware.com", "readnotify.com", "didtheyreadit.com", "getnotify.com",
		"bananatag.com", "t.signauxdeux.com", "toutapp.com", "mailstat.us", "superhuman.com", "pixel.watch", "emailtracker.website",
	}
}

// defaultScores weigh how seldom honest mail has a thing.
func defaultScores() map[string]float64 {
	return map[string]float64{
		string(ruleLinkBad): 5, string(ruleLinkLookalike): 3, string(ruleLinkScript): 3,
		string(ruleLinkProgram): 3, string(ruleLinkMismatch): 2.5,
		string(ruleLinkNumeric): 2, string(ruleLinkUserinfo): 2, string(ruleLinkMailto): 1, string(ruleLinkHidden): 0,
		string(ruleSmuggling): 5, string(ruleAttachment): 1, string(ruleExternal): 1.5,
		string(ruleScript): 1.5, string(ruleObject): 1.5, string(ruleApplet): 1.5, string(ruleFrame): 1.5, string(ruleRefresh): 1.5,
		string(ruleForm): 1, string(ruleEmbed): 1, string(ruleHandler): 1,
		string(ruleQRLure): 2, string(ruleQRLink): 0.3,
		string(ruleLookalikeDomain): 1, string(ruleImpersonation): 0.5, string(ruleReplyTo): 0.5,
		string(ruleDisplay): 0.5, string(ruleHiddenText): 0.3, string(ruleWebBug): 0.1, string(ruleStyle): 0.1,
	}
}
