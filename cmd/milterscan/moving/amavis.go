package moving

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

// amavis is a running import of amavisd.conf.
type amavis struct {
	*conf
	given map[string]assignment // the last of each name
	order []string
	// A variable that another refers to is being read.
	followed bool
	used     map[string]bool
}

// amavisNeedless has beginnings of the names of settings that milterscan does not need, with the reason.
var amavisNeedless = []struct{ names, why string }{
	{"$max_servers $max_requests $daemon_user $daemon_group $daemon_chroot_dir $inet_socket_port " +
		"$inet_socket_bind $unix_socketname $MYHOME $TEMPBASE $ENV{ $pid_file $lock_file $db_home $enable_db " +
		"$enable_zmq $enable_global_cache $helpers_home $child_timeout $smtpd_ $listen_sockets @listen_sockets " +
		"$interface_policy{ %interface_policy $protocol $timestamp_fmt_mysql $allowed_header_tests{",
		"the service is a milter: \"milterscan setup\" hooks it into the MTA"},
	{"$forward_method $notify_method $requeue_method $release_method $resend_method $relayhost_is_client " +
		"$insert_received_line @inet_acl $myhostname $mydomain",
		"the MTA keeps the mail; there is no second port to hand it back to"},
	{"$log_ $syslog_ $DO_SYSLOG $SYSLOG_LEVEL $LOGFILE $nanny_details_level $sa_debug $enable_ldap $LOG",
		"the log has one line for each message: [log]"},
	{"$sa_local_tests_only $sa_timeout $sa_mail_body_size_limit $sa_auto_whitelist $sa_tag_level_deflt " +
		"$sa_dsn_cutoff_level $sa_quarantine_cutoff_level $sa_num_instances",
		"spamd has its own settings; [spam.spamassassin] has what is asked of it"},
	{"@decoders $path $file $gzip $bzip2 $unrar $unarj $lha $cabextract $cpio $zoo $ar $arc $pax $ripole $tnef " +
		"$unfreeze $rpm2cpio $uncompress $lrzip $MIN_EXPANSION",
		"formats are read by milterscan itself, within [limits]"},
	{"$X_HEADER_ $undecipherable_subject_tag $enable_dkim_ $hdr_encoding $bdy_encoding $notify_ $defang_ " +
		"$mailfrom_ $hdrfrom_ $warn %defang $localhost_name $sql_ @lookup_sql_dsn @storage_sql_dsn " +
		"$recipient_delimiter $replace_existing_extension @keep_decoded_original_maps " +
		"$allow_disclaimers $os_fingerprint $penpals_ @mynetworks_maps $final_bad_header_destiny " +
		"$spam_quarantine_ $bad_header_ $banned_quarantine_ $clean_quarantine_ $archive_quarantine_ " +
		"@addr_extension $addr_extension",
		"what is marked, kept and told is said by each rule: headers, keep, notify; docs/migrating.md has their names"},
}

// Amavis takes over amavisd.conf, and conf.d as Debian has it, as far as they are data.
func Amavis(dir string, step func()) (*Result, error) {
	t, err := begin(dir, step)
	if err != nil {
		return nil, err
	}
	a := &amavis{conf: &conf{taking: t, vars: map[string]string{}, set: map[string]setting{}, said: map[string]bool{},
		kept: map[string][]clause{}},
		given: map[string]assignment{}, used: map[string]bool{}}
	names, _ := fs.Glob(t.root.FS(), "conf.d/*") // the pattern is valid
	slices.Sort(names)
	names = append([]string{"amavisd.conf"}, names...)
	some := false
	for _, name := range names {
		lines, err := t.open(name)
		if errors.Is(err, errAbsent) && name == "amavisd.conf" {
			continue
		}
		if err != nil {
			t.note(Unclear, Place{File: name}, "", "the file cannot be read: %v", err)
			continue
		}
		some = true
		a.take(assignments(lines, a.vars))
	}
	if !some {
		t.root.Close()
		return nil, fmt.Errorf("%s: there is neither amavisd.conf nor conf.d in it", dir)
	}
	a.make()
	a.rest()
	return t.end("amavis", []string{
		"amavis is asked after the MTA has accepted a message, milterscan before: " +
			"what is refused is refused to the server that sends it, and nobody is sent a bounce.",
		"$final_virus_destiny and the other destinies have the defaults of amavis where its files set none.",
		defaultProfile + "amavis passes archives that it cannot decode, and marks their subject.",
	}), nil
}

// take keeps the assignments of a file, and notes those that are code.
func (a *amavis) take(list []assignment) {
	for _, one := range list {
		if one.err != nil {
			a.note(Impossible, one.at, one.text, "%v", one.err)
			continue
		}
		if old, twice := a.given[one.name]; twice {
			a.note(Needless, old.at, old.text, "a later line sets it again, and the last one counts")
		} else {
			a.order = append(a.order, one.name)
		}
		a.given[one.name] = one
	}
}

// find returns an assignment, and notes what became of it.
func (a *amavis) find(name string, how How, why string) (assignment, bool) {
	one, ok := a.given[name]
	if ok && !a.used[name] {
		a.used[name] = true
		a.note(how, one.at, one.text, "%s", why)
	}
	return one, ok
}

// origin names an assignment.
func (one assignment) origin() string { return one.at.String() + " " + one.name }

// number returns the number that a setting has, and notes what became of it.
func (a *amavis) number(name string, how How, why string) (float64, assignment, bool) {
	one, ok := a.given[name]
	if !ok || one.value.kind != "number" && one.value.kind != "text" {
		return 0, one, false
	}
	n, err := strconv.ParseFloat(one.value.text, 64)
	if err != nil {
		return 0, one, false
	}
	a.find(name, how, why)
	return n, one, true
}

// make writes the configuration, and notes what became of each setting.
func (a *amavis) make() {
	a.out.top.set("profile", "default", "the rules that come after those below")
	a.local()
	a.limits()
	a.engines()
	a.infected()
	a.lists() // rules for some mail come before those for all
	a.banks()
	a.banned()
	a.spam()
}

// rest says what became of all other settings.
func (a *amavis) rest() {
	for _, name := range a.order {
		if a.used[name] {
			continue
		}
		why := ""
		for _, g := range amavisNeedless {
			if slices.ContainsFunc(strings.Fields(g.names), func(p string) bool { return strings.HasPrefix(name, p) }) {
				why = g.why
			}
		}
		if why != "" {
			a.find(name, Needless, why)
			continue
		}
		a.find(name, Impossible,
			"it is not taken over; docs/migrating.md has what the settings of amavis are called here")
	}
}
