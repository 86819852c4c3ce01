// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guide;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.Executor;
import java.util.zip.CRC32C;
import org.virtio4j.device.KeptChain;
import org.virtio4j.device.QueueDevice;
import org.virtio4j.device.ServedChain;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.vmm.LittleEndian;

// guide: begin

/** Answers what a driver sends with its CRC-32C, each when a pool of threads has it; the device type is made up. */
final class ChecksumDevice extends QueueDevice {

    private final Executor pool;

    ChecksumDevice(Executor pool) {
        super(61);
        this.pool = pool;
        queue(256, this::begin);
    }

    private void begin(ServedChain chain) {
        byte[] data = new byte[(int) Math.min(chain.readableLength(), 1 << 16)];    // the driver says how long
        DmaResult result = chain.read(0, MemorySegment.ofArray(data), 0, data.length);
        if (result == DmaResult.OK && chain.writableLength() >= 4) {
            KeptChain kept = chain.keep();                           // not given back when this returns ...
            pool.execute(() -> kept.complete(checksum(data), 0, 4)); // ... but here, by any thread, in any order
        }
    }

    private static MemorySegment checksum(byte[] data) {
        CRC32C sum = new CRC32C();
        sum.update(data);
        MemorySegment answer = MemorySegment.ofArray(new int[1]);
        LittleEndian.putI32(answer, 0, (int) sum.getValue());
        return answer;
    }
}
// guide: end
