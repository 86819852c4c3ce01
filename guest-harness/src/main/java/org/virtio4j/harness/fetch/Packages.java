// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness.fetch;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.virtio4j.harness.options.Architecture;
import org.virtio4j.harness.options.NotFetchedException;
import org.virtio4j.harness.options.Platform;

/** Unpacked packages in the user's cache folder, fetched by the script {@code build/fetch-guest} if need be. */
public final class Packages {

    private static final long LOOK_AGAIN_MILLIS = 100;

    private final Path home;
    private final BooleanSupplier interrupted;

    /**
     * Makes an object for the packages of this user.
     *
     * @param home the project's folder
     * @param interrupted whether the user wants fetching to end
     */
    public Packages(Path home, BooleanSupplier interrupted) {
        this.home = home;
        this.interrupted = interrupted;
    }

    /** The folder with QEMU. */
    public Path qemu(Architecture architecture) throws NotFetchedException {
        return part(architecture.qemuPackages());
    }

    /** The folder with the guest's kernel and tools. */
    public Path linux(Platform platform) throws NotFetchedException {
        return part(platform.linuxPackages());
    }

    /** The folder with the program by which a guest starts another kernel. */
    public Path kexec() throws NotFetchedException {
        return part("kexec");
    }

    /** The folder with the programs by which a guest drives a disk from user space. */
    public Path blkio() throws NotFetchedException {
        return part("blkio");
    }

    /** The folder of a part, by the name that the script knows. */
    public Path part(String part) throws NotFetchedException {
        try {
            Process script = new ProcessBuilder(home.resolve("build/fetch-guest").toString(), part)
                    .redirectError(ProcessBuilder.Redirect.INHERIT).start();
            while (!script.waitFor(LOOK_AGAIN_MILLIS, TimeUnit.MILLISECONDS)) {
                if (interrupted.getAsBoolean()) {
                    script.destroy();
                }
            }
            if (script.exitValue() == 0) {
                byte[] folder = script.getInputStream().readAllBytes();
                return Path.of(new String(folder, StandardCharsets.UTF_8).strip());
            }
            throw new NotFetchedException(part);
        } catch (IOException unexpected) {
            throw new IllegalStateException("build/fetch-guest: cannot be run", unexpected);
        } catch (InterruptedException unexpected) {
            throw new IllegalStateException("unexpected interrupt of this thread", unexpected);
        }
    }
}
