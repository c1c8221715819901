package e2e

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// processor is what the threads of this process have had of the processors so
// far: how long they ran, and how long they could have run and had to wait.
type processor struct{ ran, waited time.Duration }

// scheduled reads proc(5), schedstat; where there is none it returns nothing.
func scheduled() (s processor) {
	tasks, _ := filepath.Glob("/proc/self/task/*/schedstat") // the pattern is sound
	for _, task := range tasks {
		data, err := os.ReadFile(task)
		fields := strings.Fields(string(data))
		if err != nil || len(fields) < 2 {
			continue // the thread has ended
		}
		ran, _ := strconv.ParseInt(fields[0], 10, 64)
		waited, _ := strconv.ParseInt(fields[1], 10, 64)
		s.ran += time.Duration(ran)
		s.waited += time.Duration(waited)
	}
	return s
}

// slower returns how much longer things have taken since then than on a machine
// that does nothing else: a promise about time is kept if it is kept times this.
func (s processor) slower() float64 {
	now := scheduled()
	ran, waited := now.ran-s.ran, now.waited-s.waited
	if ran <= 0 || waited <= 0 {
		return 1
	}
	return 1 + float64(waited)/float64(ran)
}
