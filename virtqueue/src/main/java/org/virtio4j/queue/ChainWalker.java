// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.queue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.virtio4j.dma.DmaCursor;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.LittleEndian;
import org.virtio4j.wire.SplitDescriptor;

/**
 * Follows a descriptor chain of a split ring into a {@link Chain}, and into an indirect table if there is one (virtio
 * 1.4, section 2.7.5). One bound, the queue size, holds for the whole chain, so a circle ends.
 *
 * <p>Each descriptor is two 8-byte loads into locals: a driver that changes it meanwhile changes nothing that was
 * checked.
 */
final class ChainWalker {

    private final DmaHandle dma;
    private final int queueSize;
    private final boolean indirectNegotiated;
    private final DmaCursor table = new DmaCursor();

    /** Where a descriptor of a table in several pieces is put together. */
    private final MemorySegment scratch = Arena.ofAuto().allocate(SplitDescriptor.SIZE, Long.BYTES);

    ChainWalker(DmaHandle dma, int queueSize, boolean indirectNegotiated) {
        this.dma = dma;
        this.queueSize = queueSize;
        this.indirectNegotiated = indirectNegotiated;
    }

    /** Fills the chain that starts at {@code head}, which is below the queue size. */
    QueueFailure walk(RingPart descriptors, int head, Chain into) {
        return isPair(descriptors, head, into) ? QueueFailure.NONE : walkAll(descriptors, head, into);
    }

    /**
     * The usual chain, a readable descriptor and a writable one: a request and its answer. With no loop around it, it
     * takes a third of the instructions. Whatever is not quite that is read again.
     */
    private boolean isPair(RingPart descriptors, int head, Chain into) {
        long first = descriptors.i64(head * SplitDescriptor.SIZE + SplitDescriptor.LEN);
        int index = next(first);
        if (flags(first) != SplitDescriptor.FLAG_NEXT || index >= queueSize) {
            return false;
        }
        long second = descriptors.i64(index * SplitDescriptor.SIZE + SplitDescriptor.LEN);
        if (flags(second) != SplitDescriptor.FLAG_WRITE || length(first) == 0 || length(second) == 0) {
            return false;
        }
        into.addPair(descriptors.i64(head * SplitDescriptor.SIZE + SplitDescriptor.ADDR), length(first),
                descriptors.i64(index * SplitDescriptor.SIZE + SplitDescriptor.ADDR), length(second));
        return true;
    }

    private QueueFailure walkAll(RingPart descriptors, int head, Chain into) {
        int index = head;
        for (int count = 1; count <= queueSize; count++) {
            long iova = descriptors.i64(index * SplitDescriptor.SIZE + SplitDescriptor.ADDR);
            long rest = descriptors.i64(index * SplitDescriptor.SIZE + SplitDescriptor.LEN);
            int flags = flags(rest);
            if ((flags & SplitDescriptor.FLAG_INDIRECT) != 0) {
                return walkIndirect(iova, length(rest), flags, count, into);
            }
            if (!into.add(iova, length(rest), writable(flags), queueSize)) {
                return QueueFailure.READABLE_AFTER_WRITABLE;
            }
            if ((flags & SplitDescriptor.FLAG_NEXT) == 0) {
                return QueueFailure.NONE;
            }
            index = next(rest);
            if (index >= queueSize) {
                return QueueFailure.NEXT_OUT_OF_RANGE;
            }
        }
        return QueueFailure.CHAIN_TOO_LONG;
    }

    /**
     * The write flag of the descriptor that refers to the table is ignored (section 2.7.5.3.2); so is the table's
     * alignment.
     */
    private QueueFailure walkIndirect(long iova, int bytes, int flags, int used, Chain into) {
        if (!indirectNegotiated) {
            return QueueFailure.INDIRECT_NOT_NEGOTIATED;
        }
        if ((flags & SplitDescriptor.FLAG_NEXT) != 0) {
            return QueueFailure.INDIRECT_WITH_NEXT;
        }
        long length = Integer.toUnsignedLong(bytes);
        if (length == 0 || length % SplitDescriptor.SIZE != 0) {
            return QueueFailure.INDIRECT_LENGTH;
        }
        boolean whole = length <= DmaHandle.MAX_BYTES
                && dma.access(iova, length, Access.READ, table) == DmaResult.OK
                && table.next() && table.length() == length;
        return whole
                ? walkTable(table.segment(), table.offset(), length / SplitDescriptor.SIZE, used, into)
                : walkTableInPieces(iova, length / SplitDescriptor.SIZE, used, into);
    }

    /** The fast path: the table lies in one piece. The descriptor that refers to it counts as none of the chain's. */
    private QueueFailure walkTable(MemorySegment segment, long start, long entries, int used, Chain into) {
        long index = 0;
        for (int count = used; count <= queueSize; count++) {
            long at = start + index * SplitDescriptor.SIZE;
            long iova = LittleEndian.i64(segment, at + SplitDescriptor.ADDR);
            long rest = LittleEndian.i64(segment, at + SplitDescriptor.LEN);
            QueueFailure failure = add(iova, rest, into);
            if (failure != QueueFailure.NONE || (flags(rest) & SplitDescriptor.FLAG_NEXT) == 0) {
                return failure;
            }
            index = next(rest);
            if (index >= entries) {
                return QueueFailure.NEXT_OUT_OF_RANGE;
            }
        }
        return QueueFailure.CHAIN_TOO_LONG;
    }

    /** The same for a table that crosses mappings or regions, or is longer than a section may look at. */
    private QueueFailure walkTableInPieces(long table, long entries, int used, Chain into) {
        long index = 0;
        for (int count = used; count <= queueSize; count++) {
            long at = table + index * SplitDescriptor.SIZE;
            if (Long.compareUnsigned(at, table) < 0
                    || dma.read(at, scratch, 0, SplitDescriptor.SIZE) != DmaResult.OK) {
                return QueueFailure.INDIRECT_UNREACHABLE;
            }
            long iova = LittleEndian.i64(scratch, SplitDescriptor.ADDR);
            long rest = LittleEndian.i64(scratch, SplitDescriptor.LEN);
            QueueFailure failure = add(iova, rest, into);
            if (failure != QueueFailure.NONE || (flags(rest) & SplitDescriptor.FLAG_NEXT) == 0) {
                return failure;
            }
            index = next(rest);
            if (index >= entries) {
                return QueueFailure.NEXT_OUT_OF_RANGE;
            }
        }
        return QueueFailure.CHAIN_TOO_LONG;
    }

    private QueueFailure add(long iova, long rest, Chain into) {
        int flags = flags(rest);
        if ((flags & SplitDescriptor.FLAG_INDIRECT) != 0) {
            return QueueFailure.INDIRECT_IN_INDIRECT;
        }
        return into.add(iova, length(rest), writable(flags), queueSize)
                ? QueueFailure.NONE
                : QueueFailure.READABLE_AFTER_WRITABLE;
    }

    // The second half of a descriptor, as one little-endian value: length in bits 0-31, flags in 32-47, next in 48-63.

    private static int length(long rest) {
        return (int) rest;
    }

    private static int flags(long rest) {
        return (int) (rest >>> Integer.SIZE) & 0xffff;
    }

    private static int next(long rest) {
        return (int) (rest >>> (Integer.SIZE + Short.SIZE));
    }

    private static boolean writable(int flags) {
        return (flags & SplitDescriptor.FLAG_WRITE) != 0;
    }
}
