// SPDX-License-Identifier: Apache-2.0
/**
 * The only home of native calls. This package holds what all of them need: how a function of the C library is linked
 * and where its error number goes ({@code NativeCall}), what the number is called ({@code Errno}), the exception that
 * says it ({@code NativeFailureException}), and open descriptors ({@code Descriptor}), eventfds among them ({@code
 * SignalGuard} keeps a write to one from waiting for ever).
 *
 * <p>The packages above it are {@code memory}, {@code file} and {@code socket}; they do not know each other. What can
 * be had without native calls has a second way there, for programs that grant no native access. {@code NativeAccess}
 * refuses a program that grants it to the module that made these calls formerly, {@code org.virtio4j.vmm}, and not to
 * this one.
 *
 * <p>Nothing here is exported but to modules of this product that need it. {@code org.virtio4j.vmm.HostMemory} is how
 * everybody else gets at memory.
 *
 * <p>Structures and numbers are those of Linux on x86-64 and aarch64. Every failure says its error number by name.
 */
@NullMarked
package org.virtio4j.os;

import org.jspecify.annotations.NullMarked;
