// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The device-readable parts of requests, byte by byte as virtio 1.4, section 5.13.6 lays them out. */
final class Requests {

    private Requests() {
    }

    static byte[] attach(int domain, int endpoint) {
        return attach(domain, endpoint, 0, 0);
    }

    static byte[] attachBypass(int domain, int endpoint) {
        return attach(domain, endpoint, Spec.ATTACH_F_BYPASS, 0);
    }

    static byte[] attach(int domain, int endpoint, int flags, int reserved) {
        return begin(Spec.ATTACH).putInt(domain).putInt(endpoint).putInt(flags).putInt(reserved).array();
    }

    static byte[] detach(int domain, int endpoint) {
        return begin(Spec.DETACH).putInt(domain).putInt(endpoint).array();
    }

    /** A mapping that may be read and written. */
    static byte[] map(int domain, long virtStart, long virtEnd, long physStart) {
        return map(domain, virtStart, virtEnd, physStart, Spec.READ_WRITE);
    }

    static byte[] map(int domain, long virtStart, long virtEnd, long physStart, int flags) {
        return begin(Spec.MAP).putInt(domain).putLong(virtStart).putLong(virtEnd).putLong(physStart).putInt(flags)
                .array();
    }

    static byte[] unmap(int domain, long virtStart, long virtEnd) {
        return unmap(domain, virtStart, virtEnd, 0);
    }

    static byte[] unmap(int domain, long virtStart, long virtEnd, int reserved) {
        return begin(Spec.UNMAP).putInt(domain).putLong(virtStart).putLong(virtEnd).putInt(reserved).array();
    }

    static byte[] probe(int endpoint) {
        return begin(Spec.PROBE).putInt(endpoint).array();
    }

    /** A valid request of any type, for what is the same with all of them. */
    static byte[] ofType(int type) {
        return switch (type) {
            case Spec.ATTACH -> attach(1, 8);
            case Spec.DETACH -> detach(1, 8);
            case Spec.MAP -> map(1, 0x1000, 0x1fff, 0x8000);
            case Spec.UNMAP -> unmap(1, 0x1000, 0x1fff);
            case Spec.PROBE -> probe(8);
            default -> throw new IllegalArgumentException("type=" + type);
        };
    }

    /** The same bytes with some of them replaced. */
    static byte[] with(byte[] request, int offset, int... bytes) {
        byte[] changed = request.clone();
        for (int i = 0; i < bytes.length; i++) {
            changed[offset + i] = (byte) bytes[i];
        }
        return changed;
    }

    private static ByteBuffer begin(int type) {
        return ByteBuffer.allocate(Spec.readableSize(type)).order(ByteOrder.LITTLE_ENDIAN).putInt(type);
    }
}
