// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver.pci;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.virtio4j.vmm.RegisterHandler;

/** Bus 0 with some {@link FakePci} functions; remembers which places without a function were looked at. */
final class FakePciBus {

    static final long START = 0x8_0000_0000L;
    static final long LOW_START = 0xc000_0000L;
    static final long SIZE = 0x10_0000;

    final List<String> misses = new ArrayList<>();
    private final Map<Long, FakePci> functions = new HashMap<>();

    /** In a list, which can be searched without allocating. */
    private final List<FakePci> all = new ArrayList<>();

    FakePciBus with(int device, int function, FakePci fake) {
        functions.put((long) device << 15 | (long) function << 12, fake);
        all.add(fake);
        return this;
    }

    /** A host bridge with its memory window below 4 GiB. */
    PciHost host() {
        return host(LOW_START, SIZE);
    }

    PciHost host(long memoryStart, long memorySize) {
        return new PciHost(new Ecam(), new Memory(memoryStart), memoryStart, memorySize);
    }

    private final class Ecam implements RegisterHandler {
        @Override
        public long read(long offset, int width) {
            FakePci fake = functions.get(offset & -0x1000L);
            if (fake == null) {
                misses.add((offset >> 15) + "." + (offset >> 12 & 7));
                return -1L >>> (64 - 8 * width);
            }
            return fake.readConfig(offset & 0xfff, width);
        }

        @Override
        public void write(long offset, int width, long value) {
            Objects.requireNonNull(functions.get(offset & -0x1000L)).writeConfig(offset & 0xfff, width, value);
        }
    }

    private final class Memory implements RegisterHandler {
        private final long start;

        private Memory(long start) {
            this.start = start;
        }

        @Override
        public long read(long offset, int width) {
            FakePci fake = at(start + offset);
            int bar = bar(fake, start + offset);
            return fake.readBar(bar, start + offset - fake.address(bar), width);
        }

        @Override
        public void write(long offset, int width, long value) {
            FakePci fake = at(start + offset);
            int bar = bar(fake, start + offset);
            fake.writeBar(bar, start + offset - fake.address(bar), width, value);
        }

        private FakePci at(long address) {
            for (int i = 0; i < all.size(); i++) {
                if (bar(all.get(i), address) >= 0) {
                    return all.get(i);
                }
            }
            throw new AssertionError("nothing at " + Long.toHexString(address));
        }

        private int bar(FakePci fake, long address) {
            for (int bar = 0; bar < 6; bar++) {
                boolean wide = (fake.get(0x10 + 4 * bar, 4) & 7) == 4;
                long size = -(fake.writable[bar] | (wide ? fake.writable[bar + 1] << 32 : -1L << 32));
                long base = fake.address(bar);
                if (fake.writable[bar] != 0 && base > 0 && address >= base && address - base < size) {
                    return bar;
                }
                bar += wide ? 1 : 0;
            }
            return -1;
        }
    }
}
