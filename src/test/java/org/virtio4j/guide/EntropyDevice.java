// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guide;

import java.lang.foreign.MemorySegment;
import java.security.SecureRandom;
import org.virtio4j.device.QueueDevice;
import org.virtio4j.device.ServedChain;
import org.virtio4j.wire.DeviceType;

// guide: begin

/** Fills every buffer with random bytes (virtio 1.4, section 5.4). */
final class EntropyDevice extends QueueDevice {

    private final SecureRandom random = new SecureRandom();
    private final byte[] fresh = new byte[4096];
    private final MemorySegment source = MemorySegment.ofArray(fresh);

    EntropyDevice() {
        super(DeviceType.ENTROPY);
        queue(64, this::fill);                  // queue 0, of up to 64 entries
    }

    private void fill(ServedChain chain) {
        random.nextBytes(fresh);
        chain.write(0, source, 0, Math.min(chain.writableLength(), fresh.length));
    }
}
// guide: end
