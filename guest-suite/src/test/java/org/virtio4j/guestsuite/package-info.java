// SPDX-License-Identifier: Apache-2.0
/**
 * Boots Linux guests under QEMU with this project's devices, lets them work, and looks at what came of it from both
 * sides.
 *
 * <p>A test has a {@link org.virtio4j.guestsuite.GuestBooter}, which boots a guest with one workload of the launcher's
 * and returns a {@link org.virtio4j.guestsuite.Booted} one, with all that the guest said. Its devices are {@link
 * org.virtio4j.guestsuite.SuiteDevices}, connected as the command {@code serve} does it; for a counter-run they are
 * connected with a {@link org.virtio4j.guestsuite.Mistake}, and the test expects to see the damage.
 *
 * <p>What makes damage certain: a {@link org.virtio4j.guestsuite.Canary} in RAM is hit by any DMA that is not
 * translated, and an {@link org.virtio4j.guestsuite.UnrulyEntropy} has a DMA in flight whenever the machine is reset.
 */
@NullMarked
package org.virtio4j.guestsuite;

import org.jspecify.annotations.NullMarked;
