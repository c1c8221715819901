package policy

import (
	"strings"
	"testing"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
)

// Ways around a rule that a reader has found; each would remove the file, or
// could for some value of what is not written out.
var evasions = map[string]string{
	"starters": `
env -S 'rm vic'
env --split-string='rm vic'
env -S'rm vic'
env --split='rm vic'
env -iS 'rm vic'
env -S '-i rm vic'
env -S 'rm\_vic'
env -u X A=b rm vic
env -- rm vic
chrt -o 0 rm vic
setarch -R rm vic
linux64 rm vic
linux32 rm vic
x86_64 rm vic
i386 rm vic
setpriv rm vic
prlimit rm vic
fakeroot rm vic
unshare rm vic
nsenter -t 1 rm vic
chroot / rm vic
chroot / $X
runuser -u root rm vic
su -c 'rm vic'
su -lc 'rm vic'
su -crm
su --command='rm vic'
su -c "$X"
su -c '$X vic'
script -qc 'rm vic' /dev/null
script -c 'rm vic'
git -c alias.q='!rm vic' q
git -c alias.q="$X" q
git -c core.pager='rm vic' log
git rebase --exec 'rm vic' main
git bisect run rm vic
git submodule foreach 'rm vic'
systemd-run --user rm vic
flock f rm vic
flock f -c 'rm vic'
flock -n f sh -c 'rm vic'
watch 'rm vic'
watch -n 1 rm vic
watch 'ls;' 'rm' vic
parallel rm ::: vic
parallel ::: 'rm vic'
echo rm vic | parallel
parallel {} ::: rm
stdbuf -oL rm vic
nohup rm vic
setsid -w rm vic
timeout -s KILL -k 1 5 rm vic
timeout -- 5 rm vic
timeout --foreground 5 rm vic
ionice -c 3 rm vic
taskset -c 0 rm vic
strace -f rm vic
ltrace rm vic
gdb --args rm vic
command time -f x rm vic
doas rm vic
pkexec rm vic
choom -n 1 rm vic
choom -n 1 -- rm vic
unbuffer rm vic
expect -c 'rm vic'
ssh host rm vic
ssh host 'ls; rm vic'
tar cf x.tar --to-command='rm vic' x
tar cf x.tar x --checkpoint=1 --checkpoint-action=exec='rm vic'
tar -cI 'rm vic' -f x x
rsync -e 'rm vic' a b:
rsync -avze 'rm vic' a b:
man -P 'rm vic' ls
vim -c '!rm vic'
less '+!rm vic' x
make -f /dev/stdin <<< 'x:; rm vic'
make --eval='x:; rm vic'
nice rm vic
nice -5 rm vic
exec -a x rm vic
builtin command rm vic
busybox rm vic
sudo env -S 'rm vic'
sudo -u root $X
/lib64/ld-linux-x86-64.so.2 /bin/rm vic
jobs -x rm vic
sudo su -c "$X"
X=rm env --split-s '${X} vic'
echo rm vic | sudo -s
echo rm vic | sudo -u root -i
echo rm vic | su
echo rm vic | su root
echo rm vic | script -q /dev/null
echo rm vic | unshare -r
echo rm vic | chroot /
echo rm vic | setarch -R
echo rm vic | ssh host
expect -c 'spawn rm vic'
git clone -u 'rm vic; git-upload-pack' . y
gdb -ex 'shell rm vic'
git config alias.q '!rm vic'; git q
git --config-env=alias.q=X q
make -f <(echo 'x:; rm vic')
coreutils --coreutils-prog=rm vic
sudo BASH_ENV=x bash -c :`,
	"words": `
{"rm",vic}
{'r'm,vic}
/bin/["r"]m vic
["r"]m vic
HOME=/bin/rm; ~ vic
OLDPWD=/bin/rm; ~- vic
/bin/@(rm) vic
$'r'm vic
$"rm" vic
~/bin/rm vic
coproc rm vic
time -- rm vic
time -p -- rm vic
cat <<< "$(rm vic)"
echo "${x:-$(rm vic)}"
f() { command "$@"; }; f rm vic
f() { sudo -u root "$@"; }; f rm vic
echo rm vic | tee >(sh)
a=(rm vic); "${a[@]}"`,
	"xargs": `
echo rm vic | xargs env
echo rm vic | xargs nice
echo rm vic | xargs -n 2 nice -n 3
xargs -a <(echo rm vic) env
echo rm | xargs -I{} {} vic
echo rm | xargs -I % sh -c '% vic'
echo rm | xargs -i {} vic
echo rm | xargs sh -c
echo rm vic | xargs sudo
echo vic | xargs rm
find . -exec {} \;
find . -exec env {} \;
find . -exec env -u + rm {} \;
find . -exec echo {} + -exec rm {} +
find . $X`,
	"builtins": `
trap 'rm vic' EXIT
trap -- 'rm vic' EXIT
trap "$X" EXIT
. <(echo rm vic)
. ./f
command . <(echo rm vic)
builtin . f
source /dev/stdin <<< 'rm vic'
mapfile -c1 -C 'rm vic #' < /etc/hosts
mapfile -tC 'rm vic #' < /etc/hosts
readarray -C 'rm vic #' -c 1 < /etc/hosts
hash -p /bin/rm q; q vic
alias q=rm
enable -f ./x.so x
complete -C 'rm vic' x
compgen -C 'rm vic'
compgen -W '$(rm vic)'
bind -x '"x":rm vic'
BASH_CMDS[q]=/bin/rm; q vic
BASH_ALIASES[q]=rm
set -k; bash -c : BASH_ENV=x
fc -s
echo rm vic | at now`,
	"shells": `
bash /dev/stdin <<< 'rm vic'
bash - <<< 'rm vic'
bash /dev/./stdin <<< 'rm vic'
bash /proc/self/fd/0 <<< 'rm vic'
bash -s <<< 'rm vic'
exec bash /dev/fd/9 9<<<'rm vic'
bash <(echo rm vic)
BASH_ENV=<(echo rm vic) bash -c :
BASH_ENV=x bash -c :
env BASH_ENV=x bash -c :
env "BASH_FUNC_ls%%=() { rm vic; }" bash -c ls
export BASH_ENV=x; bash -c :
ENV=x sh -i
SHELLOPTS=x bash -c :
bash -O expand_aliases -c $'alias q=rm\nq vic'
bash -O expand_aliases -c ls
bash --rcfile x -i
bash --init-file x
bash -c -- 'rm vic'
bash -c -o errexit 'rm vic'
bash -o errexit -c 'rm vic'
bash +O extglob -c 'rm vic'
tcsh -c 'rm vic'
GIT_PAGER='rm vic' git log
GIT_SSH_COMMAND="$X" git fetch
GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=alias.q GIT_CONFIG_VALUE_0='!rm vic' git q`,
	"hidden": `
a='b[$(rm vic)]'; echo $((a))
let 'a[$(rm vic)]'
command let 'a[$(rm vic)]'
[[ -v 'a[$(rm vic)]' ]]
[[ -v $X ]]
test -v 'a[$(rm vic)]'
[ -v 'a[$(rm vic)]' ]
[ -v "$X" ]
[ "$X" "$Y" ]
printf -v 'a[$(rm vic)]' x
printf '-va[$(rm vic)]' x
printf "$X" x
read 'a[$(rm vic)]' <<< x
read -r -d '' 'a[$(rm vic)]' <<< x
read -ra 'a[$(rm vic)]' <<< x
declare 'a[$(rm vic)]=1'
typeset 'a[$(rm vic)]=1'
f() { local 'a[$(rm vic)]=1'; }; f
export 'a[$(rm vic)]=1'
readonly 'a[$(rm vic)]=1'
export "$X"
builtin declare 'a[$(rm vic)]=1'
declare -n r=x
declare -i n="$X"
declare -a 'a=($(rm vic))'
declare -a a="$X"
unset 'a[$(rm vic)]'
unset "$X"
x='$(rm vic)'; : ${x@P}
PS4='$(rm vic)'; set -x; :
PROMPT_COMMAND='rm vic'
PROMPT_COMMAND=('rm vic')
for PS4 in '$(rm vic)'; do set -x; :; done
read PS4 <<< '$(rm vic)'; set -x; :
: ${PS4:='$(rm vic)'}
printf -v PS4 '%s' '$(rm vic)'
x=y; a=$x; ((a))
read a; ((a))
echo ${a[$1]}
a=$1; echo ${s:a}
a=$1; [[ $a -gt 3 ]]
a=$1; for ((i=a; i<3; i++)); do ls; done
echo $(( $(cat x) + 1 ))
echo $(($1))
for i; do echo $((i)); done
x='a[$(rm vic)]'; echo ${!x}
a+='[$(rm vic)]'; ((a))
: ${a:=x[0]}; ((a))
eval a=x; ((a))
bash -c '((a))'
getopts x 'a[$(rm vic)]'
wait -p 'a[$(rm vic)]'
shopt -s expand_aliases
alias q=rm
q vic`,
}

// readable are everyday commands that no rule about rm and curl has to stop.
const readable = `
find . -name rm
find . -exec echo rm {} \;
find "$dir" -name '*.go' -exec wc -l {} +
command -v rm
command -V rm
timeout 5 ls rm
timeout -s KILL 5 ls rm
xargs echo rm
xargs -0 -n 1 grep x
echo a b | xargs
nice ls rm
nice -n 5 ls rm
env ls rm
env -i A=b ls rm
env "A=$X" ls
env
nohup ls rm
stdbuf -oL ls rm
flock f ls rm
sudo ls -l
sudo chown "$USER" f
ssh host ls
watch -n 1 ls
su -c 'ls'
git commit -m 'rm vic'
git -c user.name=x commit -m 'rm vic'
git log -p
git -C . status
tar xf x.tar
rsync -e ssh a b:
vim -c 'set nu' x
make -j 4 test
bash x.sh
bash -c 'ls'
bash -euo pipefail -c 'ls'
bash -o pipefail -c 'ls'
trap 'ls' EXIT
trap - EXIT
trap '' INT
set -euo pipefail
shopt -s nullglob
alias
hash -r
unset x y
unset 'a[0]'
read -r x y
read -p 'name: ' x
while read -r line; do echo "$line"; done < f
IFS=: read -ra parts <<< x
mapfile -t lines < f
printf '%s\n' "$x"
printf 'x%s' "$x"
printf -v x '%s' y
[ -f x ] && ls
[ -n "$x" ]
[ "$x" = y ]
[ ! -d "$x" ]
[ $? -eq 0 ]
[[ -f $x && $x == *.go ]]
[[ $# -gt 0 ]]
test -f "$x"
i=0; while ((i<3)); do ((i++)); done
for ((i=0; i<3; i++)); do echo $i; done
for i in {1..5}; do echo $((i*2)); done
for i in 1 2 3; do echo $((i*2)); done
echo $((1 + 2))
n=5; echo $((n % 2)); [[ $n -gt 3 ]]
n=$((2*3)); echo $((n+1))
let i=1 i++
a=(1 2 3); echo ${a[0]} ${a[@]} ${#a[@]}
i=1; a=(x y); echo ${a[i]} ${a[$i]}
echo ${x:0:3} ${x%.go} ${x:-y} ${x//a/b} ${!a[@]}
export PATH=/usr/bin:$PATH
export FOO="$bar"
export -n FOO
git push -u "$remote"
git push -u origin main
time -p ls
while getopts ab: opt "$@"; do echo $opt; done
ls ~
git config user.name x
sudo make CC="$X" all
su -l user -c 'ls'
ssh -p 22 host ls
echo {a,b}"c" [x]
declare -a list=(x y)
declare -A m=([a]=b)
local x=$1
readonly x=1
declare -i n=5
PAGER=cat git log
GIT_EDITOR=true git rebase --continue
EDITOR='vim -f' git commit
PS4='+ '; set -x
LC_ALL=C sort x
exec > log
time ls`

func lines(text string) []string { return strings.Split(strings.TrimPrefix(text, "\n"), "\n") }

func TestEvasionsAreDenied(t *testing.T) {
	deny := newPolicy(t, Config{AlwaysDeny: []string{"shell(rm *)"}, Blocked: []string{"curl"}})
	blocked := newPolicy(t, Config{Blocked: []string{"rm"}})
	for kind, list := range evasions {
		for _, command := range lines(list) {
			if command == "q vic" { // the end of a text of three lines
				continue
			}
			if check(deny, command) == "" || check(blocked, command) == "" {
				t.Errorf("%s: %s runs", kind, command)
			}
		}
	}
	if command := "shopt -s expand_aliases\nalias q=rm\nq vic"; check(deny, command) == "" {
		t.Errorf("%q runs", command)
	}
}

// A rule that allows what is harmless, or everything that can be read, covers
// none of them.
func TestEvasionsAreNotAllowed(t *testing.T) {
	p := newPolicy(t, Config{AutoApprove: []string{"shell(*)"}, AlwaysDeny: nil})
	for kind, list := range evasions {
		for _, command := range lines(list) {
			if kind == "words" || strings.HasPrefix(command, "echo vic | xargs rm") || command == "q vic" {
				continue
			}
			r := p.Judge("main", "shell", shellAction(command, openclaw.Needs{Network: true}))
			if r.Decision == Runs && !allowedAsItIs(r.Commands) {
				t.Errorf("%s: %s runs alone by %s", kind, command, r.Rule)
			}
		}
	}
}

// allowedAsItIs says whether rm itself is what the rule allows.
func allowedAsItIs(list []CommandRule) bool {
	for _, c := range list {
		if strings.Contains(c.Command, "rm") {
			return strings.HasPrefix(c.Command, "nice rm") || strings.HasPrefix(c.Command, "nohup rm") || strings.HasPrefix(c.Command, "find")
		}
	}
	return false
}

func TestReadableCommandsRun(t *testing.T) {
	p := newPolicy(t, Config{AlwaysDeny: []string{"shell(rm *)"}, Blocked: []string{"curl"}})
	for _, command := range lines(readable) {
		if why := check(p, command); why != "" {
			t.Errorf("%s: %s", command, why)
		}
	}
}

// No text takes long to judge, whatever stands in it.
func TestCheckIsBounded(t *testing.T) {
	p := newPolicy(t, Config{AlwaysDeny: []string{"shell(rm *)"}})
	start := time.Now()
	for _, part := range []string{"env ", "sudo ", "watch ", "xargs ", "su -c ", "find -exec ", "git -c a=b ", "sudo -u x env A=b ", "$x "} {
		check(p, strings.Repeat(part, 5000)+"ls")
		check(p, strings.Repeat(part, 400)+"ls")
	}
	text := "ls"
	for range 7 {
		text = "watch watch su -c '" + strings.ReplaceAll(text, "'", `'\''`) + "'"
	}
	check(p, text)
	if took := time.Since(start); took > 20*time.Second { // 1 s when this was written
		t.Errorf("took %v", took)
	}
}
