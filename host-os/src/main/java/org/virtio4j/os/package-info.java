// SPDX-License-Identifier: Apache-2.0
/**
 * The only home of native calls. This package holds what all of them need. {@code NativeCall} links a function of the C
 * library and keeps its error number, {@code Errno} names the number, and {@code NativeFailureException} reports it.
 * {@code Descriptor} is an open descriptor, which may be an eventfd; {@code SignalGuard} keeps a write to an eventfd
 * from waiting forever.
 *
 * <p>The packages above it are {@code memory}, {@code file}, {@code socket} and {@code vfio}. Only {@code vfio} knows
 * another one: it maps registers of devices as {@code memory} does. What is possible without native calls has a second
 * way there, for programs that grant no native access. {@code NativeAccess} refuses a program that grants it to {@code
 * org.virtio4j.vmm}, the module that used to make these calls, and not to this one.
 *
 * <p>Everything here is exported only to the modules of this project that need it. Other code gets memory from {@code
 * org.virtio4j.vmm.HostMemory}.
 *
 * <p>Structures and numbers are those of Linux on x86-64 and aarch64. Every failure says its error number by name.
 */
@NullMarked
package org.virtio4j.os;

import org.jspecify.annotations.NullMarked;
