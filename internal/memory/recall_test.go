package memory

import (
	"slices"
	"strings"
	"testing"
)

func TestRecall(t *testing.T) {
	s, dir := open(t)
	recall := func(message string, limit int) string {
		t.Helper()
		got, err := s.Recall(t.Context(), message, limit)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := recall("what is my cat called?", 2000); got != "" {
		t.Errorf("without a directory: %q", got)
	}
	write(t, dir, "MEMORY.md", "- 2026-01-01 The cat is called Miu\n- The landlord is Mr Okafor\n- Likes tea\n- Said hello to the new neighbours\n- El gato se llama Tom\n")
	for message, want := range map[string]string{
		"hello":                          "",
		"Good morning, how are you?":     "",
		"thanks, I'd like to see a list": "",
		"What is my cat called?":         "- 2026-01-01 The cat is called Miu",
		"Write to my landlord that the heating has been broken since yesterday, and be friendly": "- The landlord is Mr Okafor",
		"¿cómo se llama el gato?": "- El gato se llama Tom",
		"":                        "",
	} {
		if got := recall(message, 2000); got != want {
			t.Errorf("Recall(%q) = %q, want %q", message, got, want)
		}
	}
	for limit, want := range map[int]string{0: "", -1: "", 45: "", 60: "- 2026-01-01 The cat is called Miu"} {
		if got := recall("cat", limit); got != want {
			t.Errorf("with %d tokens: %q", limit, got)
		}
	}
	if got := recall(strings.Repeat("word cat ", 1<<20), 2000); !strings.Contains(got, "Miu") {
		t.Errorf("a long message recalls %q", got)
	}
}

func TestRecallIsBounded(t *testing.T) {
	s, dir := open(t)
	write(t, dir, "MEMORY.md", strings.Repeat("- 猫の名前はミウです、 "+strings.Repeat("猫", 200)+"\n", 30)+strings.Repeat("- the cat "+strings.Repeat("x", 4000)+"\n", 30))
	for _, message := range []string{"猫", "cat"} {
		for _, limit := range []int{100, 500, 2000} {
			got, err := s.Recall(t.Context(), message, limit)
			if err != nil || tokens(got) > limit || limit == 2000 && got == "" {
				t.Errorf("%s, %d: %d tokens, %v", message, limit, tokens(got), err)
			}
		}
	}
}

func TestWordListsAreSorted(t *testing.T) {
	if !slices.IsSorted(weakWords) || !slices.IsSorted(stopWords) {
		t.Error("a list of words is not sorted")
	}
}
