// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import org.virtio4j.vmm.RegisterHandler;

/** Slot 1 of a PCI bus, behind which the function of a client's connection lies: what QEMU is to a guest. */
final class SocketBus {

    static final long MEMORY_START = 0x4000_0000L;
    static final long MEMORY_SIZE = 1 << 20;

    private static final long SLOT = 1 << 15;
    private static final int[] BARS = {1, 4};

    private final TestClient client;
    private final long[] starts = new long[BARS.length];
    private final long[] sizes = new long[BARS.length];

    SocketBus(TestClient client) {
        this.client = client;
        for (int i = 0; i < BARS.length; i++) {
            sizes[i] = client.request(TestClient.GET_REGION_INFO,
                    TestClient.body(32).putInt(32).putInt(0).putInt(BARS[i])).body().getLong(16);
        }
    }

    RegisterHandler ecam() {
        return new RegisterHandler() {

            @Override
            public long read(long offset, int width) {
                return isOurs(offset) ? client.value(TestClient.CONFIG, offset - SLOT, width) : allOnes(width);
            }

            @Override
            public void write(long offset, int width, long value) {
                if (isOurs(offset)) {
                    client.write(TestClient.CONFIG, offset - SLOT, width, value);
                    findBars();
                }
            }
        };
    }

    /** Writes are posted, as QEMU posts them. */
    RegisterHandler memory() {
        return new RegisterHandler() {

            @Override
            public long read(long offset, int width) {
                int place = place(MEMORY_START + offset);
                return place < 0 ? allOnes(width)
                        : client.value(BARS[place], MEMORY_START + offset - starts[place], width);
            }

            @Override
            public void write(long offset, int width, long value) {
                int place = place(MEMORY_START + offset);
                if (place >= 0) {
                    client.postWrite(BARS[place], MEMORY_START + offset - starts[place], width, value);
                }
            }
        };
    }

    private static long allOnes(int width) {
        return -1L >>> (64 - 8 * width);
    }

    private static boolean isOurs(long offset) {
        return offset >= SLOT && offset < SLOT + 4096;
    }

    private void findBars() {
        for (int i = 0; i < BARS.length; i++) {
            long low = client.value(TestClient.CONFIG, 0x10 + 4 * BARS[i], 4);
            long high = (low & 4) == 0 ? 0 : client.value(TestClient.CONFIG, 0x14 + 4 * BARS[i], 4);
            starts[i] = (low | (high << 32)) & ~0xfL;
        }
    }

    private int place(long address) {
        for (int i = 0; i < BARS.length; i++) {
            if (address >= starts[i] && address < starts[i] + sizes[i]) {
                return i;
            }
        }
        return -1;
    }
}
