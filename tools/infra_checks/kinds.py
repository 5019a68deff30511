"""Types of resources, by short names."""

from typing import Final

BUS: Final = "Microsoft.ServiceBus/namespaces"
COSMOS: Final = "Microsoft.DocumentDB/databaseAccounts"
STORAGE: Final = "Microsoft.Storage/storageAccounts"
VAULT: Final = "Microsoft.KeyVault/vaults"
SITE: Final = "Microsoft.Web/sites"
GATEWAY: Final = "Microsoft.ApiManagement/service"
INSIGHTS: Final = "Microsoft.Insights/components"
NETWORK: Final = "Microsoft.Network/virtualNetworks"
RULES_OF_NETWORK: Final = "Microsoft.Network/networkSecurityGroups"
ENDPOINT: Final = "Microsoft.Network/privateEndpoints"
DIAGNOSTICS: Final = "Microsoft.Insights/diagnosticSettings"
WORKSPACE: Final = "Microsoft.OperationalInsights/workspaces"
