// SPDX-License-Identifier: Apache-2.0

/**
 * QEMU as a child process from its start to its end, and what a guest says over its serial console: bytes become lines,
 * and lines that {@code init} or the kernel's log wrote become a {@link org.virtio4j.harness.console.ConsoleLine}. A
 * guest may send anything. A {@link org.virtio4j.harness.console.UserTerminal} is this process's own terminal at a
 * virtio-console of the guest.
 */
@NullMarked
package org.virtio4j.harness.console;

import org.jspecify.annotations.NullMarked;
