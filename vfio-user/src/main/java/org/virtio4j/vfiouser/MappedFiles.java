// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.virtio4j.os.Descriptor;
import org.virtio4j.os.Errno;
import org.virtio4j.os.memory.NativeMemory;
import org.virtio4j.vmm.HostMemory;

/**
 * The files and memory that windows are parts of. Each is mapped once, as a whole, however many windows and descriptors
 * there are for it. A process may have some 65,530 mappings for all its machines, and a client behind an IOMMU of its
 * machine maps page by page. A mapping goes with its last window.
 *
 * <p>Mapping the whole file costs addresses alone, because the system commits nothing before it is touched. Where
 * addresses do not suffice, a window is mapped by itself. A file that has grown is mapped again when a window lies in
 * the new part.
 *
 * <p>Used by the socket's thread alone.
 */
final class MappedFiles {

    /** A machine has a handful; this limit is against a client that means harm to others in this process. */
    static final int MOST = 1024;

    /** 16 TiB: a process has 128 TiB of addresses for all its machines, and for itself. */
    static final long MOST_BYTES = 1L << 44;

    /** The identity that the system gives a file, and whether it is mapped to be written. */
    private record Key(Object file, boolean writable) {
    }

    /** How a part of a file is mapped. */
    private interface Mapper {

        HeldSegment map(long offset, long size) throws IOException;
    }

    private record HeldSegment(MemorySegment memory, Runnable unmap) {
    }

    /** One mapping of a part of a file, or of all of it. */
    final class Mapping {

        private final Key key;
        private final long offset;
        private final HeldSegment held;
        private int windows;

        private Mapping(Key key, long offset, HeldSegment held) {
            this.key = key;
            this.offset = offset;
            this.held = held;
        }

        /** The memory at an offset of the file. */
        MemorySegment part(long from, long size) {
            return held.memory().asSlice(from - offset, size);
        }

        /** Says that a window is no more. */
        void release() {
            windows--;
            if (windows == 0) {
                unmap(this);
            }
        }

        private boolean covers(long from, long size) {
            return from >= offset && size <= held.memory().byteSize() - (from - offset);
        }
    }

    /** Of each file the one that was mapped last. */
    private final Map<Key, Mapping> newest = new HashMap<>();
    private final boolean sealed;
    private int count;
    private long bytes;

    /** Says whether descriptors must be of memory that nobody can make shorter. */
    MappedFiles(boolean sealed) {
        this.sealed = sealed;
    }

    /**
     * Finds or maps the memory of a descriptor. Another process that has it may take a part away again unless it is
     * sealed; the device that touches such a part needs a reset then. Returns a mapping with the window; {@link
     * Mapping#release} gives it back.
     *
     * @throws IOException if the memory is not as the client says, or cannot be mapped
     */
    Mapping of(Descriptor descriptor, long offset, long size, boolean writable) throws IOException {
        if (sealed && !descriptor.isSealedAgainstShrinking()) {
            throw new RefusedException(Errno.EINVAL, "RAM is not sealed against shrinking, and the server insists: use"
                    + " memory-backend-memfd with share=on (and seal=on, its default), or set sealed-memory = no");
        }
        if (writable && !descriptor.isWritable()) {
            throw new RefusedException(Errno.EACCES, "the descriptor of writable RAM was opened for reading; open it"
                    + " for both");
        }
        Descriptor.Status status = descriptor.status();
        return window(new Key(status.identity(), writable), status.size(), offset, size, (from, length) -> {
            Arena arena = Arena.ofShared();
            try {
                return new HeldSegment(NativeMemory.mapShared(descriptor, from, length, writable, arena), arena::close);
            } catch (IOException | RuntimeException refused) {
                arena.close();
                throw refused;
            }
        });
    }

    /** The same for a file that the embedder has named; for reading and writing. */
    Mapping of(Path file, long offset, long size) throws IOException {
        BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
        Object identity = Objects.requireNonNullElse(attributes.fileKey(), file);
        return window(new Key(identity, true), attributes.size(), offset, size, (from, length) -> {
            HostMemory mapped = HostMemory.file(file, from, length);
            return new HeldSegment(mapped.segment(), mapped::close);
        });
    }

    private Mapping window(Key key, long fileSize, long offset, long size, Mapper mapper) throws IOException {
        if (offset < 0 || size > fileSize - offset) {
            throw new RefusedException(Errno.EINVAL, "the memory ends before the window does: it has " + fileSize
                    + " bytes, and the window goes from " + offset + " on for " + size + "; make it as long as RAM");
        }
        Mapping mapping = newest.get(key);
        if (mapping == null || !mapping.covers(offset, size)) {
            mapping = map(key, fileSize, offset, size, mapper);
            newest.put(key, mapping);
        }
        mapping.windows++;
        return mapping;
    }

    private Mapping map(Key key, long fileSize, long offset, long size, Mapper mapper) throws IOException {
        if (count >= MOST || size > MOST_BYTES - bytes) {
            throw new RefusedException(Errno.ENOSPC, "the windows lie in more than " + MOST + " files, or in more than "
                    + (MOST_BYTES >> 40) + " TiB");
        }
        Mapping mapping = whole(key, fileSize, mapper);
        if (mapping == null) {
            mapping = new Mapping(key, offset, mapper.map(offset, size));
        }
        count++;
        bytes += mapping.held.memory().byteSize();
        return mapping;
    }

    /** Null if there are not enough addresses. A window alone may still fit then, or gives a better reason. */
    private @Nullable Mapping whole(Key key, long fileSize, Mapper mapper) {
        if (fileSize > MOST_BYTES - bytes) {
            return null;
        }
        try {
            return new Mapping(key, 0, mapper.map(0, fileSize));
        } catch (IOException refused) {
            return null;
        }
    }

    private void unmap(Mapping mapping) {
        newest.remove(mapping.key, mapping);
        count--;
        bytes -= mapping.held.memory().byteSize();
        mapping.held.unmap().run();
    }
}
