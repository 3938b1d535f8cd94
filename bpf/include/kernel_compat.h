/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What differs between kernels, one block each.
 */
#ifndef SONDE_KERNEL_COMPAT_H
#define SONDE_KERNEL_COMPAT_H

/*
 * BOUND makes n at most max, a constant, where the verifier can see it: in assembly, because compilers like to compare
 * one copy of n and use another. Linux before 6.8 does not carry what it learned of the 32-bit half from one copy to
 * the other and refuses the access as unbounded.
 */
#define BOUND(n, max) asm volatile("if %[v] <= %[m] goto +1\n\t%[v] = %[m]" : [v] "+r"(n) : [m] "i"(max))

#endif
