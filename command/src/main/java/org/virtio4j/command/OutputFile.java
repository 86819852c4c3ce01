// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.command;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/**
 * A file that is written whole or not at all: it is written beside its place and then moved there. A device or a pipe
 * is written to directly, because it must not be replaced. Whether the file can be written is checked at the beginning,
 * before there is anything to write.
 */
public final class OutputFile implements AutoCloseable {

    private final Path target;
    private final @Nullable Path temporary;

    private OutputFile(Path target, @Nullable Path temporary) {
        this.target = target;
        this.temporary = temporary;
    }

    /**
     * Finds out whether a file can be written, and leaves what it holds as it is.
     *
     * @param file where to write
     * @return the file to come
     * @throws CommandFailure if it cannot be written
     */
    public static OutputFile create(Path file) throws CommandFailure {
        if (Files.isDirectory(file)) {
            throw new CommandFailure(file + ": expected a file to write, found a directory");
        }
        try {
            // Through a link, so that the link itself is not replaced.
            Path target = Files.exists(file) ? file.toRealPath() : file.toAbsolutePath();
            if (Files.exists(target) && !Files.isRegularFile(target)) {
                return new OutputFile(target, null);
            }
            Path temporary = target.resolveSibling(
                    "." + target.getFileName() + "." + ProcessHandle.current().pid() + ".tmp");
            Files.newOutputStream(temporary, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING,
                    StandardOpenOption.WRITE).close();
            return new OutputFile(target, temporary);
        } catch (IOException trouble) {
            throw failure(file, trouble);
        }
    }

    /**
     * Writes the whole file, once.
     *
     * @param text what it is to hold, in UTF-8
     * @throws CommandFailure if that fails; the old file is still there then
     */
    public void write(String text) throws CommandFailure {
        try (OutputStream stream = stream()) {
            stream.write(text.getBytes(StandardCharsets.UTF_8));
        } catch (IOException trouble) {
            throw failure(target, trouble);
        }
        complete();
    }

    /**
     * Opens the file for a caller that writes it little by little; once.
     *
     * @return a stream to be closed before {@link #complete}
     * @throws IOException if it cannot be opened
     */
    public OutputStream stream() throws IOException {
        return Files.newOutputStream(temporary == null ? target : temporary, StandardOpenOption.WRITE);
    }

    /**
     * Puts what was written in its place.
     *
     * @throws CommandFailure if that fails; the old file is still there then
     */
    public void complete() throws CommandFailure {
        try {
            if (temporary != null) {
                Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
            }
        } catch (IOException trouble) {
            throw failure(target, trouble);
        }
    }

    /** Leaves nothing behind if nothing was written. */
    @Override
    public void close() {
        try {
            if (temporary != null) {
                Files.deleteIfExists(temporary);
            }
        } catch (IOException harmless) {
            // An empty file stays behind, or the reason was reported before.
        }
    }

    private static CommandFailure failure(Path file, IOException trouble) {
        String reason = switch (trouble) {
            case NoSuchFileException missing -> "no such folder";
            case AccessDeniedException denied -> "no permission";
            default -> String.valueOf(trouble.getMessage());
        };
        return new CommandFailure(file + ": expected a file that can be written, found: " + reason);
    }
}
