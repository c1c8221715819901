package offline

// infoRows are about the machine.
func infoRows() []row {
	const (
		the      = `(?:the |my |this machine's |this computer's )?`
		running  = `(?: (?:currently |now )?running)?`
		running2 = ` (?:am i (?:running|using|on)|is (?:this|it|installed|running|in use)|are we on|do i (?:have|use)|does (?:this|my) \w+ (?:run|use|have))`
	)
	date := info("date", "The date and time")
	disk := info("df -h", "Disk space")
	processes := info("ps aux", "Running processes")
	system := info("uname -a", "System information")
	memory := info("free -h 2>/dev/null || vm_stat", "Memory usage")
	size := func(p *piece) (ask, bool) {
		where, ok := p.quotes.place(p.groups[1], p.loose)
		if !ok {
			where.path, ok = p.quotes.file(p.groups[1], p.loose, false)
		}
		return ask{kind: kindInfo, text: "du -sh " + shellPath(where.path), label: "Size"}, ok
	}
	return []row{
		{"date|time", `(?:(?:show|display|print|get|check)(?: me)? )?(?:date|time|date and time|time and date)`, date},
		{"date|time|day", `(?:{SHOW} )?(?:the (?:current |local )?|today's |the current |current |today's current )(?:date|time|day|weekday|date and time|time and date)(?: is it)?{NOW}`, date},
		{"date|time|day", `what (?:time|date|day|weekday|day of the week)(?: of the week)? is (?:it|today){NOW}|what(?:'s| is) today|which day is (?:it|today){NOW}`, date},
		{"df|disk|storage|drive", `df(?: -h)?|(?:{SHOW} )?` + the + `(?:free |available |remaining )?(?:disk|storage|drive|hard drive|hard disk)(?: space| usage| status| capacity)(?: (?:left|free|available|usage))?{NOW}{HERE}`, disk},
		{"space", `how much (?:free |available )?(?:disk |storage |drive |hard disk )?space(?: (?:is|do i have|have i got|is there))?(?: (?:free|left|available|remaining|used|still free))?{HERE}{NOW}`, disk},
		{"full", `how full (?:is|are) (?:my|the|this) (?:disk|drive|hard drive|disks|storage)|is (?:my|the) (?:disk|drive) full`, disk},
		{"big|large|size", `how (?:big|large) is {X}|(?:what(?:'s| is) )?the size of {X}`, func(p *piece) (ask, bool) {
			if p.groups[1] == "" {
				p.groups[1] = p.groups[2]
			}
			return size(p)
		}},
		{"usage|size", `(?:{SHOW} )?(?:the )?(?:disk usage|size) (?:of|in|for) {X}`, size},
		{"space", `how much space (?:does|is) {X} (?:use|take|take up|using|taking up|need)`, size},
		{"ps|process|programs", `ps(?: -?aux)?|(?:{SHOW} )?{ALL}(?:currently )?(?:running |active )?(?:processes|programs running)` + running + `{NOW}{HERE}`, processes},
		{"running|active", `(?:what|which) (?:processes|programs|apps|applications) are (?:currently |now )?(?:running|active){NOW}{HERE}|what(?:'s| is) running{NOW}{HERE}`, processes},
		{"uname|system|machine|computer|os", `uname(?: -a)?|(?:{SHOW} )?(?:the |my |some )?(?:system|machine|computer|os)(?: (?:information|info|details|summary|version)){NOW}`, system},
		{"system|os|kernel|linux|machine", `(?:what|which) (?:operating system|os|system|kernel|kernel version|os version|linux version|linux|machine)` + running2, system},
		{"system|os|kernel", `(?:{SHOW} )` + the + `(?:operating system|os|kernel|kernel version)(?: version)?{HERE}`, system},
		{"free|memory|ram", `free(?: -[hm])?|(?:{SHOW} )?` + the + `(?:free |available )?(?:memory|ram) (?:usage|use|status|information|info|statistics|stats){NOW}{HERE}`, memory},
		{"memory|ram", `how much (?:free |available )?(?:memory|ram)(?: (?:is|do i have|have i got|is there|does (?:this|my) \w+ have))?(?: (?:free|left|available|used|in use|being used))?{HERE}{NOW}`, memory},
		{"cpu|core|processor", `how many (?:cpus?|cores|cpu cores|processors|processor cores)(?: (?:are there|do i have|have i got|does (?:this|my|the) \w+ have|are available))?{HERE}`, info("getconf _NPROCESSORS_ONLN", "Processors")},
		{"uptime|how long", `uptime|how long has (?:this|the|my) (?:machine|computer|system|server|pc|laptop) been (?:up|running|on)`, info("uptime", "Uptime")},
		{"who|user|login", `whoami|who am i|(?:what(?:'s| is) )my (?:user(?:-| )?name|login|login name)|(?:which|what) user am i`, info("whoami", "User")},
		{"host|name|called", `hostname|(?:what(?:'s| is) )(?:the |my )(?:host(?:-| )?name|computer name|machine name)(?: of this \w+)?|what is this (?:machine|computer|host) called`, info("uname -n", "Host name")},
		{"pwd|where|current|working", `pwd|where am i|(?:{SHOW} )?(?:the |my |your )?(?:current directory|current folder|working directory|current working directory)(?: path)?`, info("pwd", "Working directory")},
	}
}
