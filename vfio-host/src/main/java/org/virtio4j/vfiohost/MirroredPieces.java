// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiohost;

import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.virtio4j.vmm.MemoryRegion;

/**
 * What is mapped in the host's IOMMU, piece by piece. A piece is an object, and there are no more of them than a
 * container may have mappings: each has cost a call of the system, which pinned its pages.
 */
final class MirroredPieces {

    private final NavigableMap<Long, Piece> pieces = new TreeMap<>(Long::compareUnsigned);
    private long bytes;

    /** One mapping of the host's IOMMU, which lies in one region of guest memory. */
    record Piece(long iova, long size, MemoryRegion region) {

        long end() {
            return iova + (size - 1);
        }
    }

    void add(Piece piece) {
        pieces.put(piece.iova(), piece);
        bytes += piece.size();
    }

    void remove(Piece piece) {
        pieces.remove(piece.iova());
        bytes -= piece.size();
    }

    /** The pieces of a range, in ascending order; none lies partly inside. */
    List<Piece> inside(long virtStart, long virtEnd) {
        return List.copyOf(pieces.subMap(virtStart, true, virtEnd, true).values());
    }

    /** The pieces that lie in a region. */
    List<Piece> in(MemoryRegion region) {
        List<Piece> found = new ArrayList<>();
        for (Piece piece : pieces.values()) {
            if (piece.region() == region) {
                found.add(piece);
            }
        }
        return found;
    }

    int count() {
        return pieces.size();
    }

    long bytes() {
        return bytes;
    }
}
