package virus

import (
	"context"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/scantest"
	"github.com/milterscan/milterscan/tests/fakes"
)

// backed returns the engine "first", behind which others stand.
func backed(t *testing.T, first string, backups ...string) scan.Scanner {
	t.Helper()
	cfgs := []Config{{Name: "first", Type: TypeClamd, Address: Addresses{first}}}
	for i, a := range backups {
		cfgs = append(cfgs, Config{Name: "backup" + string(rune('1'+i)), Type: TypeClamd, Address: Addresses{a}, BackupFor: "first"})
	}
	engines, err := New(cfgs)
	if err != nil || len(engines) != 2 {
		t.Fatalf("%v, error %v; want hashes and one engine", engines, err)
	}
	return engines[1]
}

// TestBackup: a backup is asked only when the engine fails, and then the message
// counts as examined.
func TestBackup(t *testing.T) {
	first, second := &fakes.Clamd{Virus: "evil"}, &fakes.Clamd{Virus: "evil", Signature: "Other"}
	e := backed(t, first.Start(t, "unix"), second.Start(t, "unix"))
	if e.Name() != "virus/first" {
		t.Errorf("its name is %q", e.Name())
	}
	found, err := e.Scan(context.Background(), two("hello", "evil"))
	if err != nil || len(found) != 1 || second.Dialled() != 0 {
		t.Errorf("both there: found %v, error %v, backup asked %d times", found, err, second.Dialled())
	}
	first.Stop()
	for _, why := range []string{"connect", "a moment ago"} {
		m := two("hello", "evil 2")
		found, err = e.Scan(context.Background(), m)
		if err != nil || len(found) != 2 || found[0].Rule != "virus/Other" || found[1].Rule != ruleBackup || !strings.Contains(found[1].Detail, why) {
			t.Errorf("first gone: found %v, error %v", found, err)
		}
		scantest.Check(t, e, m, found, Catalogue()...)
	}
	second.Stop()
	if found, err := e.Scan(context.Background(), two("hello", "evil 3")); err == nil || !strings.Contains(err.Error(), "backup1") {
		t.Errorf("both gone: found %v, error %v", found, err)
	}
}

// TestBackupKeepsWhatWasFound: what the engine found before it failed stands,
// whatever the backup says.
func TestBackupKeepsWhatWasFound(t *testing.T) {
	first, second := &fakes.Clamd{Virus: "evil", DropWhen: 3}, &fakes.Clamd{}
	found, err := backed(t, first.Start(t, "unix"), second.Start(t, "unix")).Scan(context.Background(), two("evil", "clean"))
	if err != nil || len(found) < 2 || found[0].Kind != scan.Infected || found[len(found)-1].Rule != ruleBackup {
		t.Errorf("found %v, error %v", found, err)
	}
}

// TestUnion: engines that are no backups all look, and what any finds counts.
func TestUnion(t *testing.T) {
	one, other := &fakes.Clamd{Virus: "evil", Signature: "A"}, &fakes.Clamd{Virus: "bad", Signature: "B"}
	engines, err := New([]Config{
		{Name: "one", Type: TypeClamd, Address: Addresses{one.Start(t, "unix")}},
		{Name: "other", Type: TypeClamd, Address: Addresses{other.Start(t, "unix")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	other.Stop()
	reports := scan.NewEngine(engines...).Scan(context.Background(), two("hello", "evil and bad"))
	var rules []string
	for _, f := range scan.Findings(reports) {
		rules = append(rules, f.Rule)
	}
	if got := strings.Join(rules, " "); got != "virus/A virus/failed/other" {
		t.Errorf("found %s", got)
	}
}

func TestBackupConfigErrors(t *testing.T) {
	clamd := func(name, backupFor string) Config {
		return Config{Name: name, Type: TypeClamd, Address: Addresses{"unix:/x"}, BackupFor: backupFor}
	}
	held := clamd("b", "a")
	held.OnFailure = "hold"
	for want, cfgs := range map[string][]Config{
		"backup_for: there is no engine called": {clamd("b", "a")},
		"is itself a backup":                    {clamd("a", ""), clamd("b", "a"), clamd("c", "b")},
		"itself a backup":                       {clamd("a", "a")},
		"asks nobody and so":                    {{Name: "h", Type: TypeHashes}, clamd("b", "h")},
		"always looks":                          {clamd("a", ""), {Name: "h", Type: TypeHashes, BackupFor: "a"}},
		"set it at":                             {clamd("a", ""), held},
	} {
		if _, err := New(cfgs); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, error %v", want, err)
		}
	}
}
