import type { TenantSettings } from "./control-shapes.ts";
import { Segment } from "./segment.ts";

export interface Tenant {
  /** SegOps' own number for the tenant, beside its slug. */
  readonly number: number;
  readonly slug: string;
  settings: TenantSettings;
  readonly segments: Map<number, Segment>;
}

/** All tenants. A segment is found only through its tenant, which is what keeps tenants apart. */
export class Tenants {
  readonly #bySlug = new Map<string, Tenant>();

  /** Creates the tenant or changes its key and webhook; its segments stay. The old key is void at once. */
  put(slug: string, settings: TenantSettings): Tenant {
    const tenant = this.#bySlug.get(slug) ?? this.#create(slug, settings);
    tenant.settings = settings;
    return tenant;
  }

  get(slug: string): Tenant | undefined {
    return this.#bySlug.get(slug);
  }

  /** The tenant whose key an `Authorization: ApiKey sk_…` header carries. */
  byAuthorization(header: string | undefined): Tenant | undefined {
    return [...this.#bySlug.values()].find((tenant) => header === `ApiKey ${tenant.settings.api_key}`);
  }

  #create(slug: string, settings: TenantSettings): Tenant {
    const tenant = { number: this.#bySlug.size + 1, slug, settings, segments: new Map<number, Segment>() };
    this.#bySlug.set(slug, tenant);
    return tenant;
  }
}

/** The tenant's segment, created as a draft if it is new. */
export function openSegment(tenant: Tenant, id: number): Segment {
  const segment = tenant.segments.get(id) ?? new Segment(id);
  tenant.segments.set(id, segment);
  return segment;
}
