// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import org.virtio4j.os.Errno;
import org.virtio4j.pci.VirtioPciFunction;
import org.virtio4j.wire.vfiouser.PciRegion;
import org.virtio4j.wire.vfiouser.RegionAccess;

/**
 * Accesses of configuration space and BARs. A BAR is accessed as the guest did it, in one access of 1, 2, 4 or 8 bytes,
 * whether memory space is enabled or not: the client names the BAR by number, and routes the accesses of its guest
 * itself. A stretch of configuration space may be asked for at once and is accessed in pieces that PCI knows.
 */
final class RegionRegisters {

    private final VirtioPciFunction function;
    private final DeviceQueries queries;

    RegionRegisters(VirtioPciFunction function, DeviceQueries queries) {
        this.function = function;
        this.queries = queries;
    }

    int read(RequestMessage request, ReplyMessage reply) {
        if (request.bodySize() != RegionAccess.DATA || !isAccess(request)) {
            return Errno.EINVAL;
        }
        long offset = request.i64(RegionAccess.OFFSET);
        int count = request.i32(RegionAccess.COUNT);
        begin(request, reply, count);
        if (request.i32(RegionAccess.REGION) != PciRegion.CONFIG) {
            int region = request.i32(RegionAccess.REGION);
            reply.putValue(RegionAccess.DATA, count, function.readRegion(region, offset, count));
            return 0;
        }
        for (int done = 0, width; done < count; done += width) {
            width = configWidth(offset + done, count - done);
            reply.putValue(RegionAccess.DATA + done, width, function.readConfig(offset + done, width));
        }
        return 0;
    }

    int write(RequestMessage request, ReplyMessage reply) {
        if (request.bodySize() < RegionAccess.DATA || !isAccess(request)
                || request.bodySize() - RegionAccess.DATA != request.u32(RegionAccess.COUNT)) {
            return Errno.EINVAL;
        }
        long offset = request.i64(RegionAccess.OFFSET);
        int count = request.i32(RegionAccess.COUNT);
        int region = request.i32(RegionAccess.REGION);
        begin(request, reply, 0);
        if (region != PciRegion.CONFIG) {
            function.writeRegion(region, offset, count, request.value(RegionAccess.DATA, count));
            return 0;
        }
        for (int done = 0, width; done < count; done += width) {
            width = configWidth(offset + done, count - done);
            function.writeConfig(offset + done, width, request.value(RegionAccess.DATA + done, width));
        }
        return 0;
    }

    /** Whether an access lies in a region that is there, and has a width that the region takes. */
    private boolean isAccess(RequestMessage request) {
        long offset = request.i64(RegionAccess.OFFSET);
        long count = request.u32(RegionAccess.COUNT);
        int region = request.i32(RegionAccess.REGION);
        long size = queries.regionSize(region);
        boolean width = region == PciRegion.CONFIG || (Long.bitCount(count) == 1 && count <= Long.BYTES);
        return width && count > 0 && count <= size && offset >= 0 && offset <= size - count;
    }

    private static void begin(RequestMessage request, ReplyMessage reply, int data) {
        reply.body(RegionAccess.DATA + data);
        reply.putI64(RegionAccess.OFFSET, request.i64(RegionAccess.OFFSET));
        reply.putI32(RegionAccess.REGION, request.i32(RegionAccess.REGION));
        reply.putI32(RegionAccess.COUNT, request.i32(RegionAccess.COUNT));
    }

    /** The widest aligned access of up to 4 bytes that begins here. */
    private static int configWidth(long offset, int left) {
        int width = Integer.BYTES;
        while (offset % width != 0 || width > left) {
            width /= 2;
        }
        return width;
    }
}
