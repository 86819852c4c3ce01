// SPDX-License-Identifier: Apache-2.0

/**
 * Builds the guest's whole system as one archive that Linux unpacks into memory: busybox, the modules of its drivers in
 * an order that works, and the script {@code init}. The script says what it finds and does one workload.
 */
@NullMarked
package org.virtio4j.harness.image;

import org.jspecify.annotations.NullMarked;
