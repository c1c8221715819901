package crashtest

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
)

// The flags of the tests; see the Makefile.
var (
	kills = flag.Int("kills", 10, "how often TestKill kills a gateway; from 100 on, the other tests try more too")
	seed  = flag.Uint64("seed", 0, "repeat the random choices of a run; 0: choose anew")
)

// thorough says whether the run may take its time.
func thorough() bool { return *kills >= 100 }

// childEnv makes the test binary a gateway: its value is the JSON form of
// childOptions.
const childEnv = "OPENCLAW_CRASHTEST_CHILD"

func TestMain(m *testing.M) {
	text, child := os.LookupEnv(childEnv)
	if !child {
		os.Exit(m.Run())
	}
	var o childOptions
	err := json.Unmarshal([]byte(text), &o)
	if err == nil {
		err = runChild(o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gateway:", err)
		os.Exit(1)
	}
}

// randomSeed returns the seed of the run, and says what it is.
func randomSeed(t testing.TB) uint64 {
	t.Helper()
	n := *seed
	if n == 0 {
		n = rand.Uint64()
	}
	t.Logf("to repeat the random choices: -seed=%d", n)
	return n
}
