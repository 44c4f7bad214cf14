package policy

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the generated tables anew")

const documentation = "../docs/policy.md"

// tables are those of the documentation, each made by the code it describes.
var tables = map[string]func(testing.TB) string{
	"answers":    answersTable,
	"recipients": recipientsTable,
	"replies":    repliesTable,
	"profiles":   profilesTable,
}

func row(cells ...string) string { return "| " + strings.Join(cells, " | ") + " |\n" }

func head(cells ...string) string {
	return row(cells...) + strings.Repeat("|---", len(cells)) + "|\n"
}

// answersTable combines the answers of two findings, for one recipient.
func answersTable(t testing.TB) string {
	names := answerNames[:]
	text := head(append([]string{"two findings of one mail"}, names...)...)
	for a := range names {
		cells := []string{"**" + names[a] + "**"}
		for b := range names {
			p := mustNew(t, []Rule{
				shipped("a", named("attachment/name"), Outcome{Answer: Answer(a)}),
				shipped("b", named("attachment/macro-name"), Outcome{Answer: Answer(b)}),
			})
			cells = append(cells, p.Decide(inbound("exe", "macro")).Answer.String())
		}
		text += row(cells...)
	}
	return text
}

func recipientsTable(t testing.TB) string {
	names := answerNames[:]
	text := head(append([]string{"*a* \\ *b*"}, names...)...)
	for a := range names {
		cells := []string{"**" + names[a] + "**"}
		for b := range names {
			d := answersOf(t, Outcome{Answer: Answer(a)}, Outcome{Answer: Answer(b)})
			cell := d.Answer.String()
			for _, r := range d.Drop {
				cell += ", without *" + r[:1] + "*"
			}
			cells = append(cells, cell)
		}
		text += row(cells...)
	}
	return text
}

func repliesTable(testing.TB) string {
	text := head("finding", "reply")
	fill := func(r Reply, name string) string {
		r.Text = "Message refused: " + strings.Replace(r.Text, "%", name, 1) + ". [id]"
		return "`" + r.String() + "`"
	}
	for _, s := range sentences {
		text += row(s.when.String(), fill(s.reply, `attachment "NAME"`))
	}
	text += row("any other, or none", fill(byPolicy, ""))
	return text + row("temporary failure", "`"+later.String()+" [id]`")
}

func profilesTable(t testing.TB) string {
	var b strings.Builder
	write := func(name string, rules []Rule) {
		fmt.Fprintf(&b, "### %s\n\n%s", name, head("rule", "is for", "and does"))
		for _, r := range rules {
			grounds, does, _ := strings.Cut(r.String(), " → ")
			b.WriteString(row(strings.TrimPrefix(r.Ref.Name, name+"/"), strings.ReplaceAll(grounds, "*", `\*`), does))
		}
		b.WriteString("\n")
	}
	write("every", ListRules("every", named("spam/*", "content/*", "auth/*", "bounce/*", "greylist/*")))
	for _, name := range Profiles() {
		rules, err := Profile(name)
		if err != nil {
			t.Fatal(err)
		}
		write(name, rules)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func TestDocumentationFitsTheCode(t *testing.T) {
	have, err := os.ReadFile(documentation)
	if err != nil {
		t.Fatal(err)
	}
	text := string(have)
	for name, table := range tables {
		place := regexp.MustCompile(`(?s)<!-- table: ` + name + ` -->\n.*?<!-- end -->`)
		if len(place.FindAllString(text, -1)) != 1 {
			t.Fatalf("%s has no one place for the table %q", documentation, name)
		}
		text = place.ReplaceAllLiteralString(text, "<!-- table: "+name+" -->\n"+table(t)+"<!-- end -->")
	}
	if *update {
		if err := os.WriteFile(documentation, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if text != string(have) {
		t.Errorf("%s no longer fits the code; go test ./policy -update writes its tables anew", documentation)
	}
}
