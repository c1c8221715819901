package sandbox_test

import (
	"errors"
	"runtime/debug"
	"syscall"
	"unsafe"
)

// call32 asks for the process id the way 32-bit programs do. A kernel without
// their calls answers with a fault.
func call32() (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if recover() != nil {
			err = errors.New("fault")
		}
	}()
	page, err := syscall.Mmap(-1, 0, 4096, syscall.PROT_READ|syscall.PROT_WRITE|syscall.PROT_EXEC, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return err
	}
	copy(page, []byte{
		0xb8, 0x14, 0, 0, 0, // mov $20, %eax: getpid
		0xcd, 0x80, // int $0x80
		0xc3, // ret
	})
	code := unsafe.Pointer(&page[0])
	entry := &code // a function value points to where its code is
	(*(*func())(unsafe.Pointer(&entry)))()
	return nil
}
