// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.virtio4j.os.NativeFailureException;
import org.virtio4j.os.file.ImageLock;

/**
 * A file that a disk has to itself, or shares with those that only read, until it is closed. Other disks of this
 * process are found here, so that they are found without native calls and on any file system.
 */
final class DiskClaim implements AutoCloseable {

    private static final String MEND = "; end that first, or set lock=off if both are meant to use the file";

    /** For each file in use how many disks read it; -1 if one writes it. Guarded by itself. */
    private static final Map<Object, Integer> CLAIMS = new HashMap<>();
    private static final int WRITTEN = -1;

    private final Object key;
    private @Nullable ImageLock lock;
    private String notice = "";
    private boolean closed;

    private DiskClaim(Object key) {
        this.key = key;
    }

    /**
     * Claims a file.
     *
     * @param key equal for all names of the file
     * @param mode AUTO or ON
     * @throws FileSystemException if another disk or process has it, or the locks that are asked for are not available
     */
    static DiskClaim of(Path path, Object key, boolean writes, DiskLock mode) throws IOException {
        synchronized (CLAIMS) {
            int others = CLAIMS.getOrDefault(key, 0);
            if (others == WRITTEN || (writes && others > 0)) {
                throw new FileSystemException(path.toString(), null, "another disk of this process holds it for "
                        + (others == WRITTEN ? "writing" : "reading") + MEND);
            }
            CLAIMS.put(key, writes ? WRITTEN : others + 1);
        }
        DiskClaim claim = new DiskClaim(key);
        boolean done = false;
        try {
            claim.lock(path, writes, mode);
            done = true;
            return claim;
        } finally {
            if (!done) {
                claim.close();
            }
        }
    }

    /** Why other processes are not kept away; empty if they are. */
    String notice() {
        return notice;
    }

    @Override
    public void close() {
        synchronized (CLAIMS) {
            if (closed) {
                return;
            }
            closed = true;
            CLAIMS.computeIfPresent(key, (file, count) -> count == WRITTEN || count == 1 ? null : count - 1);
        }
        ImageLock held = lock;
        if (held != null) {
            held.close();
        }
    }

    private void lock(Path path, boolean writes, DiskLock mode) throws IOException {
        if (!ImageLock.available()) {
            unlocked(path, mode, "native calls are not allowed here (--enable-native-access=org.virtio4j.os)");
            return;
        }
        try {
            lock = ImageLock.take(path, writes);
        } catch (FileSystemException taken) {
            throw new FileSystemException(path.toString(), null, taken.getReason() + MEND);
        } catch (NativeFailureException refused) {
            if (!ImageLock.meansNoLocks(refused.errno())) {
                throw refused;
            }
            unlocked(path, mode, refused.getMessage());
        }
    }

    private void unlocked(Path path, DiskLock mode, @Nullable String reason) throws FileSystemException {
        if (mode == DiskLock.ON) {
            throw new FileSystemException(path.toString(), null, "lock=on, but other processes cannot be kept away: "
                    + reason + "; set lock=auto to go on without");
        }
        notice = path + " is not locked against other processes: " + reason;
    }
}
