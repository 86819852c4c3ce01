// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness.image;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.tukaani.xz.XZInputStream;
import org.virtio4j.harness.options.UnusableGuestException;

/** The modules of a kernel, found by name and put in the order in which they can be loaded. */
final class KernelModules {

    private static final String PLAIN = ".ko";
    private static final String COMPRESSED = ".ko.xz";

    private final Map<String, Path> files = new HashMap<>();
    private final Set<String> builtIn = new HashSet<>();

    private KernelModules() {
    }

    /** The modules in a folder such as {@code /lib/modules/6.12.0}. */
    static KernelModules in(Path folder) throws UnusableGuestException {
        KernelModules modules = new KernelModules();
        try (Stream<Path> files = Files.walk(folder.resolve("kernel"))) {
            files.forEach(file -> modules.files.put(name(file), file));
            Path list = folder.resolve("modules.builtin");
            if (Files.exists(list)) {
                Files.readAllLines(list).forEach(line -> modules.builtIn.add(name(Path.of(line))));
            }
        } catch (IOException unreadable) {
            throw new UnusableGuestException(folder + ": expected the modules of a kernel, found: "
                    + unreadable.getMessage());
        }
        return modules;
    }

    /** Whether there is such a module, or the kernel has it built in. */
    boolean has(String name) {
        return files.containsKey(canonical(name)) || builtIn.contains(canonical(name));
    }

    /**
     * The modules of these names and all that they need, unpacked, by file name. Each comes after those it needs;
     * otherwise the order is that of the names. Modules that are built into the kernel are left out.
     */
    Map<String, byte[]> inOrder(List<String> wanted) throws UnusableGuestException {
        Map<String, byte[]> order = new LinkedHashMap<>();
        for (String name : wanted) {
            add(canonical(name), order, new HashSet<>());
        }
        return order;
    }

    /** Modules that are being added are known, so modules that need each other cause no endless loop. */
    private void add(String name, Map<String, byte[]> order, Set<String> underWay) throws UnusableGuestException {
        if (order.containsKey(name + PLAIN) || builtIn.contains(name) || !underWay.add(name)) {
            return;
        }
        Path file = files.get(name);
        byte[] module = read(name, file);
        for (String needed : dependencies(file, module)) {
            add(canonical(needed), order, underWay);
        }
        order.put(name + PLAIN, module);
    }

    private static List<String> dependencies(@Nullable Path file, byte[] module) throws UnusableGuestException {
        try {
            return ModuleInfo.dependencies(module);
        } catch (UnusableGuestException damaged) {
            throw new UnusableGuestException(file + ": " + damaged.getMessage());
        }
    }

    private byte[] read(String name, @Nullable Path file) throws UnusableGuestException {
        try {
            if (file != null && file.toString().endsWith(COMPRESSED)) {
                return unpack(Files.readAllBytes(file));
            }
            if (file != null && file.toString().endsWith(PLAIN)) {
                return Files.readAllBytes(file);
            }
        } catch (IOException unreadable) {
            throw new UnusableGuestException(file + ": expected a kernel module, found: " + unreadable.getMessage());
        }
        throw new UnusableGuestException("the kernel has no module " + name + " (" + PLAIN + " or " + COMPRESSED
                + "), which the guest needs; choose another by --kernel");
    }

    private static byte[] unpack(byte[] packed) throws IOException {
        try (XZInputStream module = new XZInputStream(new ByteArrayInputStream(packed))) {
            return module.readAllBytes();
        } catch (IOException damaged) {
            throw new IOException("a damaged xz file", damaged);
        }
    }

    private static String name(Path file) {
        String name = String.valueOf(file.getFileName());
        int suffix = name.indexOf(PLAIN);
        return canonical(suffix < 0 ? name : name.substring(0, suffix));
    }

    private static String canonical(String name) {
        return name.replace('-', '_');
    }
}
