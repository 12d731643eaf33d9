import { describe, expect, it } from "vitest";
import { readRegistrySettings } from "./npmrc.ts";

describe("readRegistrySettings", () => {
  it("is as npm is when nothing is said", async () => {
    await expect(readRegistrySettings([], {})).resolves.toEqual({
      scopes: {},
      authorization: {},
      isCertificateChecked: true,
      idleMs: 10_000,
      maxSilenceMs: 45_000,
      retries: 1,
    });
  });

  it("reads a file of npm", async () => {
    const text = [
      "; a comment",
      "registry = https://packages.example/npm/",
      "@acme:registry=https://acme.example",
      "//packages.example/npm/:_authToken=${TOKEN}",
      "//acme.example/:_auth=dXNlcjpwYXNz",
      "//old.example/:username=me",
      "//old.example/:_password=c2VjcmV0",
      'ca[]="-----BEGIN CERTIFICATE-----\\nAAAA"',
      "strict-ssl=false",
      "https-proxy=http://outgoing.example:3128",
      "noproxy=localhost,.internal",
      "fetch-retries=9",
      "unknown=1",
    ].join("\n");
    const settings = await readRegistrySettings([text], { TOKEN: "t0ken" });
    expect(settings).toMatchObject({
      registry: "https://packages.example/npm/",
      scopes: { "@acme": "https://acme.example" },
      authorization: {
        "//packages.example/npm/": "Bearer t0ken",
        "//acme.example/": "Basic dXNlcjpwYXNz",
        "//old.example/": `Basic ${Buffer.from("me:secret").toString("base64")}`,
      },
      isCertificateChecked: false,
      httpsProxy: "http://outgoing.example:3128",
      noProxy: "localhost,.internal",
      retries: 5,
    });
    expect(settings.ca).toBe("-----BEGIN CERTIFICATE-----\nAAAA");
  });

  it("lets later files win, variables over files, and the setting over all", async () => {
    const files = ["registry=https://one.example", "registry=https://two.example\nproxy=null"];
    await expect(readRegistrySettings(files, {})).resolves.toMatchObject({ registry: "https://two.example" });
    const variables = { npm_config_registry: "https://three.example", npm_config_https_proxy: "http://p:1" };
    const read = await readRegistrySettings(files, variables);
    expect(read).toMatchObject({ registry: "https://three.example", httpsProxy: "http://p:1" });
    expect(read).not.toHaveProperty("httpProxy");
    await expect(readRegistrySettings(files, variables, "https://four.example")).resolves.toMatchObject({
      registry: "https://four.example",
    });
  });

  it("takes the usual variables of proxies where npm's own say nothing", async () => {
    const usual = { HTTPS_PROXY: "http://p:1", no_proxy: "localhost" };
    await expect(readRegistrySettings([], usual)).resolves.toMatchObject({ httpsProxy: "http://p:1", noProxy: "localhost" }); // prettier-ignore
    await expect(readRegistrySettings(["https-proxy=http://q:2"], usual)).resolves.toMatchObject({ httpsProxy: "http://q:2" }); // prettier-ignore
  });

  it("passes over addresses that are none", async () => {
    const read = await readRegistrySettings(["registry=not an address\n@a:registry=ftp://a.example"], {});
    expect(read).not.toHaveProperty("registry");
    expect(read.scopes).toEqual({});
  });
});
