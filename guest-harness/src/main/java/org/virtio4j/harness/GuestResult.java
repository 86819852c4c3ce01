// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What came of a guest.
 *
 * @param qemu the version of QEMU
 * @param facts what the guest said
 * @param untilInit from QEMU's start to the guest's first word
 * @param total from QEMU's start to its end
 * @param devices what the devices have seen, a line each
 * @param trouble why the work is not done, in words for the user
 */
public record GuestResult(String qemu, GuestFacts facts, Duration untilInit, Duration total,
        List<String> devices, Optional<String> trouble) {
}
