package memory

import (
	"fmt"
	"strings"
	"testing"
)

// labelled are facts, and questions that ask for one of them in other words.
var labelled = []struct{ fact, question string }{
	{"Miu the cat is allergic to chicken", "what must the cats not eat?"},
	{"The landlord is Mr Okafor, flat 12", "who is our landlord"},
	{"Ann's birthday is on 3 May", "when is the birthday of Ann?"},
	{"Bins go out on Monday evening", "which evening do the bins go out"},
	{"The wifi router stands behind the bookshelf", "where is the router"},
	{"Backups run nightly to the NAS in the cellar", "where does the nightly backup go?"},
	{"The car's winter tyres are stored at Reifen Huber", "who stores the winter tyre set"},
	{"Prefers short answers without bullet points", "answer preferences: bullets?"},
	{"The standup meeting is at 9:30 in room Linden", "which room for the standup"},
	{"Dentist appointments are with Dr Varga", "who is the dentist"},
	{"The staging server is called otter", "name of the staging servers"},
	{"Deploys are frozen on Fridays", "can we deploy on Friday?"},
	{"Invoices are due within 14 days", "how many days until an invoice is due"},
	{"Grandma's lasagne recipe uses nutmeg", "recipe for lasagna of grandma"},
	{"El gimnasio abre a las siete", "¿a qué hora abre el gimnasio?"},
	{"Der Schlüssel liegt unter der Matte", "wo liegen die Schlüssel"},
	{"Мама живёт в Казани", "где живет мама"},
	{"猫の名前はミウです", "猫の名前は何ですか"},
	{"我的航班是星期五下午", "航班是什么时候"},
	{"부산 출장은 3월이다", "부산 출장은 언제"},
}

// hitsAt5 counts the questions whose fact is among the first five found.
func hitsAt5(t testing.TB, s *Store) (hits int) {
	for _, l := range labelled {
		found, err := s.Search(t.Context(), l.question, 5)
		if err != nil {
			t.Fatal(err)
		}
		hit := false
		for _, e := range found {
			hit = hit || e.Text == l.fact
		}
		if hit {
			hits++
		} else {
			t.Logf("%q does not find %q", l.question, l.fact)
		}
	}
	return hits
}

// TestRecallQuality asks among a thousand other facts.
func TestRecallQuality(t *testing.T) {
	s, dir := open(t)
	var text strings.Builder
	for n := range 1000 {
		fmt.Fprintf(&text, "- note %d: topic %d was discussed with friend %d at place %d\n", n, n%50, n%70, n%30)
	}
	for _, l := range labelled {
		text.WriteString("- " + l.fact + "\n")
	}
	write(t, dir, "MEMORY.md", text.String())
	if hits := hitsAt5(t, s); hits < 18 {
		t.Errorf("%d of %d questions find their fact among the first five", hits, len(labelled))
	}
}
